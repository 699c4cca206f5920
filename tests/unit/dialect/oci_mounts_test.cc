// config.json: mounts.
#include "oci_sample.h"

namespace croft::dialect {
namespace {
using namespace samples;
using spec::BindIds;
using spec::Mount;

std::string top(const char* mount) {
    return cat(R"(, "mounts": [)", mount, "]");
}
Mount one(const char* mount, std::string linux = "", std::string namespaces = "") {
    auto mounts =
        taken({.top = top(mount), .linux = std::move(linux), .namespaces = std::move(namespaces)}).mounts;
    EXPECT_EQ(mounts.size(), 1u);
    return mounts.empty() ? Mount() : mounts[0];
}

TEST(OciMounts, FileSystems) {
    Mount proc = one(R"({"destination": "/proc", "type": "proc", "source": "proc"})");
    EXPECT_EQ(proc.kind, Mount::Kind::filesystem);
    EXPECT_EQ(proc.fs_type, "proc");
    EXPECT_EQ(proc.source, "proc");
    EXPECT_EQ(proc.target, "/proc");
    EXPECT_TRUE(proc.writable);
    EXPECT_FALSE(proc.recursive);
    EXPECT_EQ(proc.ids, BindIds::none);
    EXPECT_EQ(proc.propagation, spec::Propagation::unset);
    Mount tmp = one(R"({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
        "options": ["defaults", "nosuid", "ro", "size=64k", "mode=1777", "tmpcopyup", "rslave", "rnodev"]})");
    EXPECT_EQ(join(tmp.options, " "), "nosuid size=64k mode=1777 tmpcopyup rnodev");
    EXPECT_FALSE(tmp.writable);
    EXPECT_EQ(tmp.propagation, spec::Propagation::rslave);
}

TEST(OciMounts, Binds) {
    Mount bind = one(
        R"({"destination": "/data", "type": "none", "source": "/srv/data", "options": ["rbind", "rprivate", "rro", "ro", "rw"]})");
    EXPECT_EQ(bind.kind, Mount::Kind::bind);
    EXPECT_EQ(bind.source, "/srv/data");
    EXPECT_EQ(bind.fs_type, "");
    EXPECT_TRUE(bind.recursive);
    EXPECT_TRUE(bind.writable);
    EXPECT_EQ(bind.propagation, spec::Propagation::rprivate);
    EXPECT_EQ(join(bind.options, " "), "rro");
    EXPECT_FALSE(one(R"({"destination": "/data", "source": "data", "options": ["bind"]})").recursive);
    EXPECT_EQ(one(R"({"destination": "/data", "source": "data", "options": ["bind"]})").source,
              "/bundles/one/data");
    Mount by_type = one(R"({"destination": "/data", "type": "bind", "source": "/a"})");
    EXPECT_EQ(by_type.kind, Mount::Kind::bind);
    EXPECT_FALSE(by_type.recursive);
}

TEST(OciMounts, InTheirOrder) {
    auto mounts =
        taken({.top = top(R"({"destination": "/b", "type": "tmpfs"}, {"destination": "/a", "type": "tmpfs"},
        {"destination": "/b", "type": "proc"})")})
            .mounts;
    ASSERT_EQ(mounts.size(), 3u);
    EXPECT_EQ(mounts[0].target + mounts[1].target + mounts[2].target, "/b/a/b");
}

TEST(OciMounts, Ids) {
    Mount mapped = one(R"({"destination": "/d", "source": "/s", "options": ["rbind", "ridmap"],
        "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
        "gidMappings": [{"containerID": 0, "hostID": 2000, "size": 20}]})");
    EXPECT_EQ(mapped.ids, BindIds::idmap);
    EXPECT_TRUE(mapped.map_recursive);
    ASSERT_EQ(mapped.uid_mappings.size(), 1u);
    EXPECT_EQ(mapped.uid_mappings[0], (spec::IdMapping{0, 1000, 10}));
    EXPECT_EQ(mapped.gid_mappings.at(0), (spec::IdMapping{0, 2000, 20}));
    // Without the word, as older engines have it; with the word alone, as the container has it.
    EXPECT_EQ(one(R"({"destination": "/d", "source": "/s", "options": ["bind"],
        "uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}],
        "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]})")
                  .ids,
              BindIds::idmap);
    Mount implied = one(R"({"destination": "/d", "source": "/s", "options": ["bind", "idmap"]})",
                        R"(, "uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}],
                            "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}])",
                        R"(, {"type": "user"})");
    EXPECT_EQ(implied.ids, BindIds::idmap);
    EXPECT_TRUE(implied.uid_mappings.empty());
    EXPECT_FALSE(implied.map_recursive);
}

TEST(OciMounts, RelativeTargets) {
    auto out = parse(config({.top = top(R"({"destination": "data", "type": "tmpfs"})")}));
    ASSERT_TRUE(out);
    EXPECT_EQ(out->spec.mounts[0].target, "/data");
    EXPECT_EQ(join(out->warnings, ""),
              "$.mounts[0].destination: 'data' is not absolute, which is deprecated");
}

TEST(OciMounts, OptionsOfAFileSystemAtABind) {
    auto out = parse(config(
        {.top = top(R"({"destination": "/d", "source": "/s", "options": ["bind", "mode=755", "nosuid"]})")}));
    ASSERT_TRUE(out) << out.error().text;
    EXPECT_EQ(join(out->spec.mounts[0].options, " "), "nosuid");
    EXPECT_EQ(join(out->warnings, ""),
              "$.mounts[0].options[1]: 'mode=755' is no option of a bind mount, and ignored");
}

TEST(OciMounts, WrongOnesSayWhere) {
    const Wrong table[] = {
        {{.top = R"(, "mounts": {})"}, "$.mounts: is object, not an array"},
        {{.top = top(R"({"type": "proc"})")}, "$.mounts[0]: destination is missing"},
        {{.top = top(R"({"destination": "", "type": "proc"})")}, "$.mounts[0].destination: is empty"},
        {{.top = top(R"({"destination": "/a\u0000b", "type": "proc"})")},
         "$.mounts[0].destination: holds a NUL character"},
        {{.top = top(R"({"destination": "/a"})")}, "$.mounts[0]: type is missing"},
        {{.top = top(R"({"destination": "/a", "type": "proc"}, {"destination": "/a", "options": ["bind"]})")},
         "$.mounts[1]: is a bind mount without a source"},
        {{.top = top(R"({"destination": "/a", "source": "/b", "options": ["bind", "nosudi"]})")},
         "$.mounts[0].options[1]: 'nosudi' is no option of a bind mount (did you mean 'nosuid'?)"},
        {{.top = top(R"({"destination": "/a", "source": "/b", "options": "bind"})")},
         "$.mounts[0].options: is string, not an array"},
        {{.top = top(R"({"destination": "/a", "source": "/b", "options": ["bind", "idmap=uids=0-1-10"]})")},
         "$.mounts[0].options[1]: 'idmap=uids=0-1-10' is not known: mappings go into uidMappings and "
         "gidMappings"},
        {{.top = top(R"({"destination": "/a", "type": "tmpfs", "options": [""]})")},
         "$.mounts[0].options[0]: is empty"},
        {{.top = top(R"({"destination": "/a", "source": "/b", "options": ["bind", "idmap"]})")},
         "$.mounts[0]: has idmap, but neither it nor the container has mappings"},
        {{.top = top(R"({"destination": "/a", "source": "/b", "options": ["bind"],
            "uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]})")},
         "$.mounts[0]: uidMappings and gidMappings need each other"},
        {{.top = top(R"({"destination": "/a", "source": "/b", "uidMappings": [{"hostID": 1, "size": 1}]})")},
         "$.mounts[0].uidMappings[0]: containerID is missing"},
    };
    expect_wrong(table);
}

}  // namespace
}  // namespace croft::dialect
