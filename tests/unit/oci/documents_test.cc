// What croft-oci says of itself, and the config.json that it writes: both are read back.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "dialect/oci_config.h"
#include "format/json_document.h"
#include "oci/default_config.h"
#include "oci/feature_list.h"
#include "plan/planner.h"

namespace croft::oci {
namespace {

class Features : public ::testing::Test {
  protected:
    Features() : text(features_document()), document(format::JsonDocument::parse(text)) {}

    // "linux.seccomp.actions"
    format::JsonValue at(std::string_view path) {
        format::JsonValue value = document->root();
        for (const std::string& name : split(path, '.')) {
            auto inner = value.member(name);
            if (!inner) throw std::runtime_error(cat(path, " is missing"));
            value = *inner;
        }
        return value;
    }
    std::vector<std::string> words(std::string_view path) {
        std::vector<std::string> out;
        for (format::JsonValue word : at(path)) out.emplace_back(word.text());
        EXPECT_FALSE(out.empty()) << path;
        return out;
    }

    std::string text;
    Result<format::JsonDocument> document;
};

Result<dialect::OciSpec> read(std::string_view process, std::string_view linux, std::string_view top,
                              std::string_view version = "1.3.0") {
    return dialect::parse_oci_config(
        cat(R"({"ociVersion": ")", version,
            R"(", "root": {"path": "r"}, "process": {"args": ["x"], "cwd": "/")", process,
            R"(}, "linux": {"namespaces": [{"type": "mount"}, {"type": "network"}])", linux, "}", top, "}"),
        {"/b", "c"});
}
std::string why_not(const Result<dialect::OciSpec>& spec) {
    if (!spec) return spec.error().text;
    return join(spec->warnings, "; ");
}

TEST_F(Features, VersionsAreTaken) {
    EXPECT_EQ(why_not(read("", "", "", at("ociVersionMin").text())), "");
    EXPECT_EQ(why_not(read("", "", "", at("ociVersionMax").text())), "");
}

TEST_F(Features, WordsOfTheConfigurationAreTaken) {
    for (const std::string& hook : words("hooks"))
        EXPECT_EQ(why_not(read("", "", cat(R"(, "hooks": {")", hook, R"(": [{"path": "/x"}]})"))), "");
    for (const std::string& option : words("mountOptions")) {
        std::string maps = R"([{"containerID": 0, "hostID": 1, "size": 1}])";
        EXPECT_EQ(
            why_not(read("", "",
                         cat(R"(, "mounts": [{"destination": "/d", "source": "/s", "uidMappings": )", maps,
                             R"(, "gidMappings": )", maps, R"(, "options": ["bind", ")", option, "\"]}]"))),
            "");
    }
    for (const std::string& capability : words("linux.capabilities"))
        EXPECT_EQ(why_not(read(cat(R"(, "capabilities": {"bounding": [")", capability, "\"]}"), "", "")), "");
    for (const std::string& mode : words("linux.memoryPolicy.modes")) {
        bool nodes = mode != "MPOL_DEFAULT" && mode != "MPOL_LOCAL";
        EXPECT_EQ(
            why_not(read(
                "", cat(R"(, "memoryPolicy": {"mode": ")", mode, nodes ? R"(", "nodes": "0"})" : "\"}"), "")),
            "");
    }
    for (const std::string& flag : words("linux.memoryPolicy.flags"))
        EXPECT_EQ(
            why_not(
                read("", cat(R"(, "memoryPolicy": {"mode": "MPOL_DEFAULT", "flags": [")", flag, "\"]}"), "")),
            "");
}

// Not only read: the planner has a use for each, at a bind and at a tmpfs.
TEST_F(Features, MountOptionsAreTakenByThePlanner) {
    spec::HostFacts facts;
    facts.cgroup_root = "/sys/fs/cgroup";
    facts.tree.directory = "/b/r";
    facts.path_is_directory["/s"] = true;
    for (const std::string& option : words("mountOptions")) {
        bool ids = option == "idmap" || option == "ridmap", binds = option == "bind" || option == "rbind";
        std::string maps = R"("uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}],
            "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}], )";
        std::string bind = cat(R"({"destination": "/d", "source": "/s", )", ids ? maps : "",
                               R"("options": ["bind", ")", option, "\"]}");
        std::string fresh = cat(R"({"destination": "/t", "type": "tmpfs", "options": [")", option, "\"]}");
        for (const std::string& mount : {bind, fresh}) {
            if (mount == bind ? option == "tmpcopyup" : ids || binds) continue;
            auto config = read("", "", cat(R"(, "mounts": [)", mount, "]"));
            ASSERT_TRUE(config) << config.error().text;
            auto plans = plan::plan(config->spec, facts);
            EXPECT_TRUE(plans) << mount << ": " << plans.error().text;
        }
    }
}

TEST_F(Features, WordsOfSeccompAreTaken) {
    auto profile = [](std::string_view more) {
        return why_not(read("", cat(R"(, "seccomp": {"defaultAction": "SCMP_ACT_ALLOW")", more, "}"), ""));
    };
    for (const std::string& action : words("linux.seccomp.actions"))
        EXPECT_EQ(profile(cat(R"(, "syscalls": [{"names": ["a"], "action": ")", action, "\"}]")), "");
    for (const std::string& op : words("linux.seccomp.operators"))
        EXPECT_EQ(
            profile(cat(
                R"(, "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "value": 1, "op": ")",
                op, "\"}]}]")),
            "");
    for (const std::string& arch : words("linux.seccomp.archs"))
        EXPECT_EQ(profile(cat(R"(, "architectures": [")", arch, "\"]")), "");
    EXPECT_EQ(words("linux.seccomp.knownFlags"), words("linux.seccomp.supportedFlags"));
    for (const std::string& flag : words("linux.seccomp.knownFlags"))
        EXPECT_EQ(profile(cat(R"(, "flags": [")", flag, "\"]")), "");
}

TEST_F(Features, WhatIsThereAndWhatIsNot) {
    for (const char* yes :
         {"linux.cgroup.v2", "linux.cgroup.systemd", "linux.cgroup.systemdUser", "linux.cgroup.rdma",
          "linux.seccomp.enabled", "linux.apparmor.enabled", "linux.selinux.enabled",
          "linux.intelRdt.enabled", "linux.intelRdt.schemata", "linux.intelRdt.monitoring",
          "linux.mountExtensions.idmap.enabled", "linux.netDevices.enabled"})
        EXPECT_EQ(at(yes).text(), "true") << yes;
    EXPECT_EQ(at("linux.cgroup.v1").text(), "false");
    EXPECT_EQ(words("linux.namespaces").size(), 8u);
}

TEST(DefaultConfig, IsRead) {
    auto root = dialect::parse_oci_config(default_config({}), {"/b", "c"});
    ASSERT_TRUE(root) << root.error().text;
    EXPECT_EQ(join(root->warnings, "; "), "");
    EXPECT_EQ(root->spec.root.directory, "/b/rootfs");
    EXPECT_TRUE(root->spec.root.read_only);
    EXPECT_EQ(root->spec.users.mode, spec::UserNamespace::Mode::no);
    EXPECT_EQ(root->spec.network.mode, spec::Network::Mode::none);
    EXPECT_EQ(root->spec.mounts.size(), 7u);
    EXPECT_EQ(root->spec.resources.device_rules.size(), 1u);
    auto user = dialect::parse_oci_config(default_config({true, 1000, 100}), {"/b", "c"});
    ASSERT_TRUE(user) << user.error().text;
    EXPECT_EQ(join(user->warnings, "; "), "");
    EXPECT_EQ(user->spec.users.uid_maps.at(0), (spec::IdMapping{0, 1000, 1}));
    EXPECT_EQ(user->spec.users.gid_maps.at(0), (spec::IdMapping{0, 100, 1}));
    EXPECT_EQ(user->spec.network.mode, spec::Network::Mode::host);
    EXPECT_EQ(user->spec.mounts.at(5).kind, spec::Mount::Kind::bind);
    for (const spec::Mount& mount : user->spec.mounts)
        EXPECT_EQ(std::ranges::count(mount.options, "gid=5"), 0) << mount.target;
}

}  // namespace
}  // namespace croft::oci
