#include "image/reference.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "image/platform.h"

using namespace croft;
using namespace croft::image;

namespace {
const std::string hex64(64, 'a'), hex128(128, '0');

TEST(Digest, IsOneOfTheRegisteredOrAnError) {
    EXPECT_EQ(Digest::parse(cat("sha256:", hex64))->path(), cat("sha256/", hex64));
    EXPECT_EQ(Digest::parse(cat("sha512:", hex128))->algorithm(), "sha512");
    for (std::string text : {std::string(), std::string("sha256:"), cat("sha256:", hex64, "a"), cat("sha256:", std::string(64, 'A')),
                             cat("md5:", hex64), cat("sha512:", hex64), cat("sha256:", std::string(63, 'a'), "/"), hex64})
        EXPECT_FALSE(Digest::parse(text)) << text;
}

// Each text and its parts: transport, path, host, name, tag.
struct Row {
    std::string text;
    Transport transport;
    std::string path, host, name, tag;
};

TEST(Reference, IsReadAndWritten) {
    for (const Row& row : std::vector<Row>{
             {"web", Transport::store, "", "", "web", ""},
             {"debian:trixie", Transport::store, "", "", "debian", "trixie"},
             {"docker:1.0", Transport::store, "", "", "docker", "1.0"},
             {"localhost:5000/team/web:1", Transport::store, "", "", "localhost:5000/team/web", "1"},
             {"dir:/srv/a:b", Transport::directory, "/srv/a:b", "", "", ""},
             {"tar:./x.tar.gz", Transport::tar, "./x.tar.gz", "", "", ""},
             {"raw:disk.img", Transport::raw, "disk.img", "", "", ""},
             {"oci:/lay", Transport::oci, "/lay", "", "", ""},
             {"oci:lay:v1.0", Transport::oci, "lay", "", "", "v1.0"},
             {"oci-archive:/a.tar:localhost/x:1", Transport::oci_archive, "/a.tar", "", "", "localhost/x:1"},
             {"docker-archive:a.tar:busybox:latest", Transport::docker_archive, "a.tar", "", "", "busybox:latest"},
             {"docker://localhost/web", Transport::registry, "", "localhost", "web", ""},
             {"docker://127.0.0.1:5000/team/bb:1", Transport::registry, "", "127.0.0.1:5000", "team/bb", "1"},
             {"docker://[::1]:5000/bb", Transport::registry, "", "[::1]:5000", "bb", ""},
             {"docker://busybox", Transport::registry, "", "", "busybox", ""},
             {"docker://team/web:2", Transport::registry, "", "", "team/web", "2"},
             {"docker://r.example/a__b/c---d", Transport::registry, "", "r.example", "a__b/c---d", ""}}) {
        auto read = parse_reference(row.text);
        ASSERT_TRUE(read) << read.error().text;
        EXPECT_EQ(read->transport, row.transport) << row.text;
        EXPECT_EQ(read->path, row.path) << row.text;
        EXPECT_EQ(read->host, row.host) << row.text;
        EXPECT_EQ(read->name, row.name) << row.text;
        EXPECT_EQ(read->tag, row.tag) << row.text;
        EXPECT_EQ(read->text(), row.text);
    }
}

TEST(Reference, DigestsAndIndexes) {
    std::string digest = cat("@sha256:", hex64);
    for (std::string text : {"docker://localhost/web:1", "docker://localhost/web", "web", "oci:/lay"}) {
        auto read = parse_reference(text + digest);
        ASSERT_TRUE(read) << read.error().text;
        ASSERT_TRUE(read->digest);
        EXPECT_EQ(read->text(), text + digest);
    }
    EXPECT_EQ(parse_reference("oci:/lay:@2")->index, 2u);
    EXPECT_EQ(parse_reference("docker-archive:a.tar:@0")->index, 0u);
    EXPECT_FALSE(parse_reference("oci:/lay:@x"));
    EXPECT_FALSE(parse_reference(cat("docker://localhost/web@sha256:", hex64, "0")));
}

TEST(Reference, WhatIsWrongIsToldWithWhatWouldBeRight) {
    struct Wrong {
        const char *text, *told;
    };
    for (const Wrong& wrong : std::vector<Wrong>{{"", "docker://HOST/NAME"},
                                                 {"/srv/tree", "dir:PATH"},
                                                 {"./x.tar", "tar:PATH"},
                                                 {"ocii:/x", "did you mean 'oci'"},
                                                 {"dokcer://x/y", "did you mean 'docker'"},
                                                 {"docker://host.example/Upper", "lower-case"},
                                                 {"docker://host.example/a//b", "separated by /"},
                                                 {"docker://host.example:0/a", "is no host"},
                                                 {"docker://host.example:99999/a", "is no host"},
                                                 {"docker://ho_st:5000/a", "is no host"},
                                                 {"docker://localhost/a:", "is no tag"},
                                                 {"docker://localhost/a:-x", "is no tag"},
                                                 {"docker://localhost/a@md5:0", "is no digest"},
                                                 {"docker://localhost/../a", "lower-case"},
                                                 {"dir:", "no path"},
                                                 {"oci:", "no path"},
                                                 {"oci::tag", "no path"},
                                                 {"a/../b", "unlike '..'"}}) {
        auto read = parse_reference(wrong.text);
        ASSERT_FALSE(read) << wrong.text;
        EXPECT_NE(read.error().text.find(wrong.told), std::string::npos) << read.error().text;
    }
    EXPECT_FALSE(parse_reference(std::string("a\0b", 3)));
    EXPECT_FALSE(parse_reference(std::string(300, 'a')));
    EXPECT_FALSE(parse_reference(cat("docker://localhost/", std::string(300, 'a'))));
}

TEST(Platform, WordsOfOthersAreKnown) {
    EXPECT_EQ(parse_platform("linux/arm64/v8")->text(), "linux/arm64/v8");
    EXPECT_EQ(parse_platform("x86_64")->text(), "linux/amd64");
    EXPECT_FALSE(parse_platform("linux//v8"));
    EXPECT_FALSE(parse_platform("a/b/c/d"));
    EXPECT_FALSE(parse_platform(""));
}

TEST(Platform, TheBestOneThatRunsIsTaken) {
    Platform v7 = *parse_platform("linux/arm/v7"), v6 = *parse_platform("linux/arm/v6"), v5 = *parse_platform("linux/arm/v5");
    EXPECT_GT(fitness(v7, v7), fitness(v7, v6));
    EXPECT_GT(fitness(v7, v6), fitness(v7, v5));
    EXPECT_EQ(fitness(v6, v7), 0u);
    EXPECT_EQ(fitness(v7, *parse_platform("linux/arm64")), 0u);
    EXPECT_GT(fitness(*parse_platform("linux/arm64"), *parse_platform("linux/arm64/v8")), 0u);
    EXPECT_EQ(fitness(*parse_platform("linux/amd64"), *parse_platform("linux/amd64/v3")), 0u);
}

}  // namespace
