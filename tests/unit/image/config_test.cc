#include "image/config.h"

#include <gtest/gtest.h>

#include "base/text.h"

using namespace croft;
using namespace croft::image;

namespace {
const std::string all = cat(
    R"({"created":"2024-01-01T00:00:00Z","author":"a","architecture":"amd64","os":"linux","config":{"User":"1000:1000",)",
    R"("ExposedPorts":{"443/tcp":{},"80/tcp":{}},"Env":["PATH=/bin","A=b c"],"Entrypoint":["/bin/sh","-c"],"Cmd":["x"],)",
    R"("Healthcheck":{"Test":["CMD","true"],"Interval":30000000000,"Retries":3},"Volumes":{"/data":{}},"WorkingDir":"/srv",)",
    R"("Labels":{"l":"v"},"StopSignal":"SIGINT","Shell":["/bin/bash","-c"]},"rootfs":{"type":"layers","diff_ids":["sha256:)",
    std::string(64, 'a'), R"("]},"history":[{"created_by":"COPY","empty_layer":true}]})");

TEST(Config, IsWrittenAsItWasRead) {
    auto read = parse_config(all);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->process.exposed_ports, (std::vector<std::string>{"443/tcp", "80/tcp"}));
    EXPECT_EQ(read->process.health->interval, 30000000000u);
    EXPECT_EQ(read->diff_ids.size(), 1u);
    EXPECT_EQ(config_json(*read), all);
}

TEST(Config, NullsAndUnknownMembersAreNothing) {
    auto read = parse_config(
        R"({"architecture":"amd64","os":"linux","config":{"Entrypoint":null,"Volumes":null,"Tty":false},"rootfs":{"diff_ids":null},"docker_version":"1"})");
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_TRUE(read->process.entrypoint.empty());
}

TEST(Config, WhatIsWrongIsToldWithItsPlace) {
    struct Wrong {
        const char *text, *told;
    };
    for (const Wrong& wrong : {Wrong{"{}", "rootfs is missing"}, Wrong{R"({"rootfs":{"diff_ids":["x"]}})", "$.rootfs.diff_ids[0]"},
                               Wrong{R"({"rootfs":{},"config":{"Env":"A=b"}})", "$.config.Env"},
                               Wrong{R"({"rootfs":{},"config":{"Healthcheck":{"Interval":-5}}})", "$.config.Healthcheck.Interval"},
                               Wrong{"[", "is no JSON"}, Wrong{R"({"rootfs":{},"config":{"Env":["a\u0000b"]}})", "NUL"}}) {
        auto read = parse_config(wrong.text);
        ASSERT_FALSE(read) << wrong.text;
        EXPECT_NE(read.error().text.find(wrong.told), std::string::npos) << read.error().text;
    }
}

}  // namespace
