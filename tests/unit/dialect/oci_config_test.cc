// config.json: the top, root, hooks, annotations; what is there without a word of it; what depends on another
// part.
#include "dialect/oci_config.h"

#include "oci_sample.h"

namespace croft::dialect {
namespace {
using namespace samples;

TEST(OciConfig, WhatABundleIsWithoutMore) {
    spec::MachineSpec spec = taken({});
    EXPECT_EQ(spec.name, "one");
    EXPECT_EQ(spec.root.layout, spec::Layout::bundle);
    EXPECT_EQ(spec.root.directory, "/bundles/one/rootfs");
    EXPECT_FALSE(spec.root.read_only);
    EXPECT_EQ(spec.root.os_check, spec::OsCheck::skip);
    EXPECT_EQ(spec.root.propagation, spec::Propagation::unset);
    EXPECT_EQ(spec.process.command, std::vector<std::string>{"sh"});
    EXPECT_EQ(spec.process.directory, "/");
    EXPECT_EQ(spec.process.terminal, spec::Terminal::none);
    EXPECT_EQ(spec.process.user.ids, (std::pair<uint32_t, uint32_t>(0, 0)));
    EXPECT_TRUE(spec.process.environment.set.empty());
    EXPECT_FALSE(spec.process.oom_score_adjust);
    EXPECT_EQ(spec.namespaces.mount, "");
    for (const std::string& other :
         {spec.namespaces.ipc, spec.namespaces.pid, spec.namespaces.uts, spec.namespaces.cgroup})
        EXPECT_EQ(other, "host");
    EXPECT_FALSE(spec.namespaces.time);
    EXPECT_EQ(spec.network.mode, spec::Network::Mode::host);
    EXPECT_EQ(spec.users.mode, spec::UserNamespace::Mode::no);
    EXPECT_TRUE(spec.security.seccomp_off);
    EXPECT_FALSE(spec.security.seccomp);
    EXPECT_EQ(spec.security.no_new_privileges, false);
    ASSERT_TRUE(spec.security.capabilities);
    EXPECT_TRUE(spec.security.capabilities->bounding.empty());
    EXPECT_EQ(spec.security.masked_paths, std::vector<std::string>());
    EXPECT_EQ(spec.security.readonly_paths, std::vector<std::string>());
    EXPECT_EQ(spec.integration.hostname, "");
    EXPECT_EQ(spec.integration.resolv_conf, "off");
    EXPECT_TRUE(spec.mounts.empty());
}

TEST(OciConfig, Versions) {
    auto with = [](const char* version) {
        return cat(R"({"ociVersion": ")", version,
                   R"(", "root": {"path": "/r"}, "process": {"args": ["x"], "cwd": "/"},
            "linux": {"namespaces": [{"type": "mount"}]}})");
    };
    for (const char* good : {"1.0.0", "1.0.2-dev", "1.1.0-rc.1+build.5", "1.3.0", "1.3.99"}) {
        auto out = parse(with(good));
        ASSERT_TRUE(out) << out.error().text;
        EXPECT_EQ(out->version, good);
        EXPECT_TRUE(out->warnings.empty());
    }
    EXPECT_EQ(parse(with("1.4.0"))->warnings,
              std::vector<std::string>{"$.ociVersion: '1.4.0' is newer than this runtime, which knows 1.3"});
    EXPECT_EQ(parse(with("1.99999999999999999999.0"))->warnings.size(), 1u);
    for (const char* bad : {"", "1", "1.0", "1.0.x", "1..0", "one", "1.0.0.0", ".1.0"})
        EXPECT_EQ(why_not(with(bad)), cat("$.ociVersion: '", bad, "' is no version (1.3.0)"));
    EXPECT_EQ(why_not(with("0.6.0")), "$.ociVersion: '0.6.0' is not supported: this is a runtime for 1.x");
    EXPECT_EQ(why_not(with("2.0.0")), "$.ociVersion: '2.0.0' is not supported: this is a runtime for 1.x");
}

TEST(OciConfig, WhatMustBeThere) {
    EXPECT_TRUE(why_not("{").starts_with("is no JSON: parse error at line 1, column 2:")) << why_not("{");
    EXPECT_EQ(why_not("[]"), "$: is array, not an object");
    EXPECT_EQ(why_not("{}"), "$: ociVersion is missing");
    EXPECT_EQ(why_not(R"({"ociVersion": null})"), "$: ociVersion is missing");
    EXPECT_EQ(why_not(R"({"ociVersion": 1})"), "$.ociVersion: is number, not a string");
    EXPECT_EQ(why_not(R"({"ociVersion": "1.0.0"})"), "$: root is missing");
    auto waits = parse(R"({"ociVersion": "1.0.0", "root": {"path": "/r"}})");
    ASSERT_TRUE(waits) << waits.error().text;
    EXPECT_TRUE(waits->spec.process.command.empty());
    EXPECT_EQ(why_not(R"({"ociVersion": "1.0.0", "process": {"args": ["x"], "cwd": "/"}})"),
              "$: root is missing");
    EXPECT_EQ(why_not(R"({"ociVersion": "1.0.0", "process": {"args": ["x"], "cwd": "/"}, "root": {}})"),
              "$.root: path is missing");
    EXPECT_EQ(
        why_not(R"({"ociVersion": "1.0.0", "process": {"args": ["x"], "cwd": "/"}, "root": {"path": ""}})"),
        "$.root.path: is empty");
    auto least =
        parse(R"({"ociVersion": "1.0.0", "process": {"args": ["x"], "cwd": "/"}, "root": {"path": "/r"}})");
    ASSERT_TRUE(least) << least.error().text;
    EXPECT_EQ(least->spec.namespaces.mount, "host");
    EXPECT_EQ(why_not(R"({"ociVersion": "1.0.0", "ociVersion": "1.0.0"})"), "$.ociVersion: is given twice");
}

TEST(OciConfig, RootAndNames) {
    auto out =
        parse(R"({"ociVersion": "1.0.0", "root": {"path": "/trees/a", "readonly": true}, "hostname": "h",
        "domainname": "d.example", "process": {"args": ["x"], "cwd": "/"}, "annotations": {"b.c": "", "a": "v"},
        "linux": {"rootfsPropagation": "slave", "namespaces": [{"type": "mount"}, {"type": "uts"}]}})");
    ASSERT_TRUE(out) << out.error().text;
    const spec::MachineSpec& spec = out->spec;
    EXPECT_EQ(spec.root.directory, "/trees/a");
    EXPECT_TRUE(spec.root.read_only);
    EXPECT_EQ(spec.root.propagation, spec::Propagation::slave);
    EXPECT_EQ(spec.integration.hostname, "h");
    EXPECT_EQ(spec.integration.domainname, "d.example");
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(spec.integration.annotations, (Pairs{{"b.c", ""}, {"a", "v"}}));
}

TEST(OciConfig, Hooks) {
    spec::Hooks hooks = taken({.top = R"(, "hooks": {
        "prestart": [{"path": "/a", "args": ["a", ""], "env": ["K=V", "E="], "timeout": 5}, {"path": "/b"}],
        "createRuntime": [{"path": "/c"}], "createContainer": [{"path": "/d"}], "startContainer": [{"path": "/e"}],
        "poststart": [{"path": "/f"}], "poststop": [{"path": "/g"}]})"})
                            .hooks;
    ASSERT_EQ(hooks.prestart.size(), 2u);
    EXPECT_EQ(hooks.prestart[0].args, (std::vector<std::string>{"a", ""}));
    EXPECT_EQ(hooks.prestart[0].env, (std::vector<std::string>{"K=V", "E="}));
    EXPECT_EQ(hooks.prestart[0].timeout, 5);
    EXPECT_EQ(hooks.prestart[1].path, "/b");
    EXPECT_FALSE(hooks.prestart[1].timeout);
    EXPECT_EQ(hooks.create_runtime.at(0).path, "/c");
    EXPECT_EQ(hooks.create_container.at(0).path, "/d");
    EXPECT_EQ(hooks.start_container.at(0).path, "/e");
    EXPECT_EQ(hooks.poststart.at(0).path, "/f");
    EXPECT_EQ(hooks.poststop.at(0).path, "/g");
}

TEST(OciConfig, UnknownMembersAreOnlyWarnedAbout) {
    EXPECT_EQ(warnings({.top = R"(, "hookz": {}, "x": [{}])", .process = R"(, "new": 1)"}),
              "$.process.new: is not known, and ignored; $.hookz: is not known, and ignored (did you mean "
              "'hooks'?); "
              "$.x: is not known, and ignored");
    EXPECT_EQ(warnings({.linux = R"(, "intelRdt": {"enableCMT": true})"}),
              "$.linux.intelRdt.enableCMT: is not known, and ignored");
    std::string many;
    for (int i = 0; i < 100; ++i) many += cat(", \"z", i, "\": 0");
    EXPECT_EQ(parse(config({.top = many}))->warnings.size(), 16u);
}

TEST(OciConfig, OtherSystems) {
    EXPECT_EQ(warnings({.top = R"(, "windows": {}, "solaris": {"a": 1}, "freebsd": {}, "zos": {})"}),
              "$.windows: is of another operating system, and ignored; $.solaris: is of another operating "
              "system, and "
              "ignored; $.freebsd: is of another operating system, and ignored; $.zos: is of another "
              "operating system, and "
              "ignored");
    EXPECT_EQ(why_not(Add{.top = R"(, "vm": {"kernel": {"path": "/k"}})"}),
              "$.vm: asks for a virtual machine, and croft-oci makes containers only");
}

TEST(OciConfig, WrongOnesSayWhere) {
    const Wrong table[] = {
        {{.top = R"(, "hostname": 1)"}, "$.hostname: is number, not a string"},
        {{.top = R"(, "hostname": "h")"}, "$.hostname: needs a uts namespace in linux.namespaces"},
        {{.top = R"(, "domainname": "h")"}, "$.domainname: needs a uts namespace in linux.namespaces"},
        {{.top = cat(R"(, "hostname": ")", std::string(65, 'a'), "\"")},
         "$.hostname: is longer than the 64 bytes that a kernel keeps"},
        {{.top = R"(, "annotations": {"a": 1})"}, "$.annotations.a: is number, not a string"},
        {{.top = R"(, "annotations": {"": "x"})"},
         "$.annotations: has a member whose name is empty or holds a NUL character"},
        {{.top = R"(, "annotations": {"a.b": "1", "c": "", "a.b": "2"})"},
         "$.annotations[\"a.b\"]: is given twice"},
        {{.top = R"(, "hooks": [])"}, "$.hooks: is array, not an object"},
        {{.top = R"(, "hooks": {"poststop": {}})"}, "$.hooks.poststop: is object, not an array"},
        {{.top = R"(, "hooks": {"poststop": [{}]})"}, "$.hooks.poststop[0]: path is missing"},
        {{.top = R"(, "hooks": {"poststop": [{"path": "a"}]})"},
         "$.hooks.poststop[0].path: 'a' is no absolute path"},
        {{.top = R"(, "hooks": {"poststop": [{"path": "/a", "timeout": 0}]})"},
         "$.hooks.poststop[0].timeout: is no whole number from 1 to 2147483647"},
        {{.top = R"(, "hooks": {"poststop": [{"path": "/a", "env": ["A"]}]})"},
         "$.hooks.poststop[0].env[0]: 'A' is no NAME=VALUE"},
        {{.top = R"(, "hooks": {"poststop": [{"path": "/a\u0000b"}]})"},
         "$.hooks.poststop[0].path: holds a NUL character"},
        {{.linux = R"(, "rootfsPropagation": "sharred")"},
         "$.linux.rootfsPropagation: 'sharred' is not shared, slave, private or unbindable"},
    };
    expect_wrong(table);
}

TEST(OciParts, AProcessAlone) {
    auto out = parse_oci_process(R"({"args": ["id", "-u"], "cwd": "/tmp", "terminal": true,
        "consoleSize": {"height": 25, "width": 80}, "user": {"uid": 5, "gid": 6}, "noNewPrivileges": true})");
    ASSERT_TRUE(out) << out.error().text;
    EXPECT_EQ(out->spec.process.command, (std::vector<std::string>{"id", "-u"}));
    EXPECT_EQ(out->spec.process.terminal, spec::Terminal::pty);
    EXPECT_EQ(out->spec.process.user.ids, (std::pair<uint32_t, uint32_t>(5, 6)));
    EXPECT_EQ(out->spec.security.no_new_privileges, true);
    EXPECT_FALSE(out->spec.security.capabilities);  // the container's
    EXPECT_TRUE(
        parse_oci_process(R"({"args": ["id"], "cwd": "/", "capabilities": {}})")->spec.security.capabilities);
    EXPECT_EQ(parse_oci_process("{}").error().text, "$: args is missing");
    EXPECT_TRUE(parse_oci_process("").error().text.starts_with("is no JSON: parse error at line 1"));
}

}  // namespace
}  // namespace croft::dialect
