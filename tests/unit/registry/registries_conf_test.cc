#include "registry/registries_conf.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "registry/lookaside.h"

using namespace croft;
using namespace croft::registry;

namespace {

std::string where(const std::string& name, const RegistriesConf& conf, const PlaceOptions& options = {}) {
    auto all = candidates(*image::parse_docker_name(name), conf, options);
    if (!all) return cat("error: ", all.error().text);
    std::string out;
    for (const Candidate& one : *all)
        out += cat(out.empty() ? "" : " ", one.mirror ? "~" : "", one.endpoint.insecure ? "!" : "", one.endpoint.host, "/", one.endpoint.repository);
    return out;
}

RegistriesConf read(std::string_view text) {
    RegistriesConf conf;
    Result<> done = read_registries_conf(text, "r.conf", conf);
    EXPECT_TRUE(done) << done.error().text;
    return conf;
}

TEST(RegistriesConf, TheLongestPrefixCounts) {
    RegistriesConf conf = read(R"(
[[registry]]
prefix = "a.example"
location = "b.example"
[[registry]]
prefix = "a.example/team"
location = "c.example:5000/other"
insecure = true
[[registry]]
prefix = "*.wild.example"
insecure = true
[[registry]]
prefix = "bad.example"
blocked = true
)");
    EXPECT_EQ(where("a.example/x/y:1", conf), "b.example/x/y");
    EXPECT_EQ(where("a.example/team/y:1", conf), "!c.example:5000/other/y");
    EXPECT_EQ(where("a.example/teammate/y:1", conf), "b.example/teammate/y");
    EXPECT_EQ(where("x.wild.example/y", conf), "!x.wild.example/y");
    EXPECT_EQ(where("wild.example/y", conf), "wild.example/y");
    EXPECT_EQ(where("other.example/y", conf), "other.example/y");
    EXPECT_NE(where("bad.example/y", conf).find("blocks"), std::string::npos);
    PlaceOptions strict;
    strict.tls_verify = true;
    EXPECT_EQ(where("x.wild.example/y", conf, strict), "x.wild.example/y");
}

TEST(RegistriesConf, MirrorsComeFirstAndNeverForWriting) {
    RegistriesConf conf = read(R"(
[[registry]]
location = "a.example"
[[registry.mirror]]
location = "m1.example/sub"
insecure = true
[[registry.mirror]]
location = "m2.example"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "m3.example"
pull-from-mirror = "tag-only"
)");
    EXPECT_EQ(where("a.example/x:1", conf), "~!m1.example/sub/x ~m3.example/x a.example/x");
    EXPECT_EQ(where(cat("a.example/x@sha256:", std::string(64, '0')), conf), "~!m1.example/sub/x ~m2.example/x a.example/x");
    EXPECT_EQ(target_endpoint(*image::parse_docker_name("a.example/x"), conf, {})->host, "a.example");
}

TEST(RegistriesConf, ShortNames) {
    RegistriesConf conf = read("unqualified-search-registries = [\"s.example\"]\n[aliases]\nweb = \"a.example/team/web\"\n");
    EXPECT_EQ(where("web:1", conf), "a.example/team/web");
    EXPECT_EQ(where("other:1", conf), "s.example/other");
    conf.search.push_back("t.example");
    EXPECT_NE(where("other", conf).find("may mean an image of s.example, t.example"), std::string::npos);
    conf.short_name_mode = "disabled";
    EXPECT_EQ(where("other", conf), "s.example/other t.example/other");
    EXPECT_NE(where("other", {}).find("names no registry"), std::string::npos);
}

TEST(RegistriesConf, ALaterFileIsOnTop) {
    RegistriesConf conf = read("unqualified-search-registries = [\"a.example\"]\n[[registry]]\nlocation = \"r.example\"\ninsecure = true\n[aliases]\nx = \"a.example/x\"\n");
    ASSERT_TRUE(read_registries_conf("unqualified-search-registries = [\"b.example\"]\n[[registry]]\nlocation = \"r.example\"\n[aliases]\nx = \"\"\n", "second", conf));
    EXPECT_EQ(where("r.example/y", conf), "r.example/y");
    EXPECT_EQ(where("x", conf), "b.example/x");
}

TEST(Lookaside, IsReadFromTheMapsOfItsYaml) {
    Lookaside out;
    ASSERT_TRUE(read_lookaside("# comment\ndefault-docker:\n  lookaside: file:///srv/sigs\ndocker:\n    host.example:5000/team:\n        lookaside: 'https://s.example/x'\n"
                               "    other.example:\n        use-sigstore-attachments: true\n        sigstore: file:///old\n", "f", out));
    EXPECT_EQ(out.fallback, "file:///srv/sigs");
    EXPECT_EQ(out.locations["host.example:5000/team"], "https://s.example/x");
    EXPECT_EQ(out.locations["other.example"], "file:///old");
    for (const char* wrong : {"- a\n", "a\n", "\ta: b\n", "docker: [a]\nx"}) {
        Lookaside none;
        EXPECT_FALSE(read_lookaside(wrong, "f", none)) << wrong;
    }
}

}  // namespace
