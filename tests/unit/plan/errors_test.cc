// What the planner refuses: each with the sentence that a user gets.
#include <gtest/gtest.h>

#include "samples.h"

namespace croft::plan {
namespace {

struct Case {
    const char* name;
    Errc code;
    const char* words;  // part of the sentence
    void (*change)(spec::MachineSpec&, spec::HostFacts&);
    bool boot = false;
};

spec::Mount mount_of(spec::Mount::Kind kind, std::string target) {
    spec::Mount mount;
    mount.kind = kind, mount.target = std::move(target);
    return mount;
}

using Users = spec::UserNamespace;

const Case cases[] = {
    {"no_os_tree", Errc::invalid, "'/srv/web' is no OS tree",
     [](auto&, auto& f) { f.tree.is_os_tree = false; }},
    {"host_root", Errc::invalid, "the running host itself",
     [](auto& s, auto& f) { f.tree.directory = s.root.directory = "/"; }},
    {"no_init", Errc::no_command, "there is no init in '/srv/web'", [](auto&, auto& f) { f.tree.init = ""; },
     true},
    {"boot_as_user", Errc::invalid, "init is always root", [](auto&, auto& f) { f.tree.uid = 1000; }, true},
    {"no_shell", Errc::no_command, "there is no shell",
     [](auto& s, auto& f) { s.process.command.clear(), f.tree.shell = ""; }},
    {"volatile_unmerged", Errc::invalid, "--volatile=overlay",
     [](auto& s, auto& f) { s.root.volatile_mode = spec::Volatile::yes, f.tree.usr_merged = false; }},
    {"chown", Errc::unsupported, "never changes the owners",
     [](auto& s, auto&) { s.users.ownership = Users::Ownership::chown; }},
    {"no_idmap_fs", Errc::unsupported, "cannot be mounted with mapped ids",
     [](auto&, auto& f) { f.tree.idmap_supported = false; }},
    {"no_idmap_kernel", Errc::unsupported, "since 5.12", [](auto&, auto& f) { f.has_idmap = false; }},
    {"overlay_idmap_kernel", Errc::unsupported, "Linux 5.19",
     [](auto& s, auto& f) { s.root.ephemeral = true, f.kernel_major = 5, f.kernel_minor = 15; }},
    {"no_range", Errc::failed, "no range of ids", [](auto&, auto& f) { f.id_base.reset(); }},
    {"pick_as_user", Errc::denied, "needs root",
     [](auto& s, auto& f) { s.users.mode = Users::Mode::pick, f.privileged = false; }},
    {"no_root_in_map", Errc::invalid, "uid map",
     [](auto& s, auto&) {
         s.users.mode = Users::Mode::maps, s.users.uid_maps = s.users.gid_maps = {{1, 5000, 10}};
     }},
    {"user_outside_range", Errc::invalid, "70000:70000 is outside the ids",
     [](auto&, auto& f) { f.tree.uid = f.tree.gid = 70000; }},
    {"group_outside_range", Errc::invalid, "the group 70000 is outside",
     [](auto& s, auto&) { s.process.user.extra_groups = {70000}; }},
    {"no_controller", Errc::unsupported, "--memory: this host has no cgroup2 memory controller",
     [](auto& s, auto& f) { s.resources.memory_max = 1, f.cgroup_controllers = {"pids"}; }},
    {"no_cgroup", Errc::unsupported, "--tasks: this host has no cgroup2",
     [](auto& s, auto& f) { s.resources.tasks_max = 1, f.cgroup_root = ""; }},
    {"cgroup_file_with_slash", Errc::invalid, "is no file of a cgroup",
     [](auto& s, auto&) {
         s.resources.unified = {{"../memory.max", "1"}};
     }},
    {"boot_without_cgroup", Errc::unsupported, "booting needs a cgroup2",
     [](auto&, auto& f) { f.cgroup_root = ""; }, true},
    {"boot_in_host_pid", Errc::invalid, "PID and cgroup namespaces",
     [](auto& s, auto&) { s.namespaces.pid = "host"; }, true},
    {"no_device", Errc::not_found, "'/dev/nothing' is no device of this host",
     [](auto& s, auto&) {
         s.devices = {{"/dev/nothing", "", "rw", true}};
     }},
    {"no_device_class", Errc::not_found, "no class of /proc/devices",
     [](auto& s, auto&) {
         s.devices = {{"char-nothing", "", "rw", false}};
     }},
    {"io_max_no_disk", Errc::invalid, "'/dev/null' is no block device",
     [](auto& s, auto&) {
         s.resources.io_max = {{"/dev/null", "rbps=1"}};
     }},
    {"bind_source_missing", Errc::not_found, "--bind: '/nowhere' does not exist on this host",
     [](auto& s, auto&) {
         s.mounts = {mount_of(spec::Mount::Kind::bind, "/mnt")};
         s.mounts[0].source = "/nowhere";
     }},
    {"tmpfs_on_proc", Errc::invalid, "below /proc and /sys is the kernel's own",
     [](auto& s, auto&) { s.mounts = {mount_of(spec::Mount::Kind::tmpfs, "/proc/fs")}; }},
    {"tmpfs_uid", Errc::invalid, "'uid=x' is no id",
     [](auto& s, auto&) {
         s.mounts = {mount_of(spec::Mount::Kind::tmpfs, "/t")};
         s.mounts[0].options = {"uid=x"};
     }},
    {"overlay_of_one", Errc::invalid, "at least two directories",
     [](auto& s, auto&) {
         s.mounts = {mount_of(spec::Mount::Kind::overlay, "/o")};
         s.mounts[0].layers = {"/a"};
     }},
    {"no_overlay", Errc::unsupported, "no overlayfs",
     [](auto& s, auto& f) { s.root.ephemeral = true, f.has_overlay = false; }},
    {"no_time_ns", Errc::unsupported, "time namespaces",
     [](auto& s, auto& f) { s.namespaces.time = true, f.has_time_ns = false; }},
    {"capability", Errc::invalid, "--cap-add: 'CAP_FLY' is no capability",
     [](auto& s, auto&) { s.security.cap_add = {"CAP_FLY"}; }},
    {"signal", Errc::invalid, "--stop-signal: 'SIGFOO' is no signal",
     [](auto& s, auto&) { s.process.stop_signal = "SIGFOO"; }},
    {"affinity", Errc::invalid, "--cpu-affinity: '3-1'",
     [](auto& s, auto&) { s.process.cpu_affinity = "3-1"; }},
    {"rlimit", Errc::invalid, "--rlimit: 'FOO'",
     [](auto& s, auto&) {
         s.process.rlimits = {{"FOO", 1, 1}};
     }},
    {"timezone_symlink", Errc::unsupported, "no link into zoneinfo",
     [](auto& s, auto& f) { s.integration.timezone = "symlink", f.timezone = ""; }},
    {"too_many_mounts", Errc::invalid, "too many mounts",
     [](auto& s, auto&) {
         for (int i = 0; i < 300; ++i) s.mounts.push_back(mount_of(spec::Mount::Kind::tmpfs, "/t"));
     }},
    {"hooks", Errc::unsupported, "hooks is not available yet",
     [](auto& s, auto&) {
         s.hooks.prestart.push_back({"/bin/true", {}, {}, {}});
     }},
    {"journal", Errc::unsupported, "LinkJournal=host",
     [](auto& s, auto&) { s.integration.link_journal = "host"; }},
    {"rdt", Errc::unsupported, "intelRdt", [](auto& s, auto&) { s.resources.rdt = true; }},
};

class Refused : public testing::TestWithParam<Case> {};

TEST_P(Refused, WithASentence) {
    spec::MachineSpec spec = GetParam().boot ? samples::boot() : samples::app();
    spec::HostFacts facts = GetParam().boot ? samples::boot_host() : samples::host();
    GetParam().change(spec, facts);
    auto plans = plan(spec, facts);
    ASSERT_FALSE(plans);
    const Error& e = plans.error();
    EXPECT_EQ(e.code, GetParam().code) << e.text;
    EXPECT_NE(e.text.find(GetParam().words), std::string::npos) << e.text;
    EXPECT_FALSE(e.text.ends_with('.')) << e.text;
}

INSTANTIATE_TEST_SUITE_P(Plan, Refused, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace croft::plan
