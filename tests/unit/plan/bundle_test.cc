// Plans of OCI bundles: what is listed is done, in its order, and nothing else.
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>

#include "golden.h"
#include "plan/bundle.h"
#include "samples.h"

namespace croft::plan {
namespace {

using launch::Attach;
using launch::MakeFs;
using launch::MakeNode;
using launch::OpenTree;
using samples::bind;
using samples::bundle;
using samples::mount;
using samples::planned;
using samples::steps_of;
using UserMode = spec::UserNamespace::Mode;
using Kind = spec::Mount::Kind;

constexpr uint64_t ro = 1, nosuid = 2;

void user_namespace(spec::MachineSpec& s) {
    s.users.mode = UserMode::maps;
    s.users.uid_maps = s.users.gid_maps = {{0, 100000, 65536}};
}

spec::HostFacts inside_user_namespace() {
    spec::HostFacts facts = samples::host();
    facts.privileged = false;
    facts.own_gid_maps = {{0, 1000, 1}};
    facts.cgroup_root.clear(), facts.cgroup_controllers.clear();
    return facts;
}

void all_mounts(spec::MachineSpec& s) {
    auto add = [&](spec::Mount m) -> spec::Mount& { return s.mounts.emplace_back(std::move(m)); };
    add(bind("/data", "/a", {"nosuid", "rnodev", "rro"})).propagation = spec::Propagation::rslave;
    spec::Mount& top = add(bind("/data", "b/../../b", {"noexec", "sync"}));
    top.writable = false, top.recursive = false, top.propagation = spec::Propagation::shared;
    spec::Mount& mapped = add(bind("/data", "/mapped"));
    mapped.ids = spec::BindIds::idmap, mapped.uid_mappings = mapped.gid_mappings = {{0, 5000, 10}};
    spec::Mount& all_mapped = add(bind("/data", "/all-mapped"));
    all_mapped = mapped, all_mapped.target = "/all-mapped", all_mapped.map_recursive = true;
    add(mount("tmpfs", "/run", {"tmpcopyup", "mode=755", "uid=33", "nodev"})).writable = false;
    add(mount("tmpfs", "/tmp", {"rnosuid"})).propagation = spec::Propagation::rshared;
    add(mount("overlay", "/over", {"lowerdir=/l1:/l2", "upperdir=/u", "workdir=/w", "noatime"}));
    add(mount("ext4", "/image", {"acl", "data=ordered"})).source = "/dev/loop0";
    s.mounts.back().writable = false;
    add(bind("/lxcfs/meminfo", "/proc/meminfo"));
    add(mount("tmpfs", "/sys/fs/cgroup/x"));
    s.root.read_only = true;
    s.root.propagation = spec::Propagation::rshared;
    s.process.directory = "/srv/dir";
    s.process.terminal = spec::Terminal::pty, s.process.console_size = {24, 80};
}

void all_of_process(spec::MachineSpec& s) {
    spec::Process& p = s.process;
    p.environment.set = {{"A", "1"}, {"B", ""}, {"A", "2"}};
    p.user.ids = {33, 34}, p.user.extra_groups = {4, 50}, p.user.umask = 077;
    p.rlimits = {{"NOFILE", 64, 128}};
    p.oom_score_adjust = -100;
    p.cpu_affinity = "0-1";
    p.exec_affinity_initial = "0", p.exec_affinity_final = "1,3";
    p.scheduler = spec::Scheduler{"SCHED_BATCH", 5, 0, {"SCHED_FLAG_RESET_ON_FORK"}, 0, 0, 0};
    p.io_priority_class = "IOPRIO_CLASS_IDLE";
    p.personality = "LINUX32";
    p.apparmor_profile = "profile", p.selinux_label = "label";
    s.security.no_new_privileges = true;
    s.security.capabilities->ambient = s.security.capabilities->inheritable = {"CAP_KILL"};
    s.security.capabilities->effective = {"CAP_KILL"};
    s.security.sysctls = {{"net.ipv4.ip_forward", "1"}, {"kernel.shmmax", "4096"}};
    spec::SeccompProfile seccomp;
    seccomp.default_action = "SCMP_ACT_ALLOW";
    seccomp.rules = {{{"mount"}, "SCMP_ACT_NOTIFY", {}, {}}};
    seccomp.listener_path = "/run/agent", seccomp.listener_metadata = "m";
    s.security.seccomp = seccomp;
    s.hooks.prestart = {{"/bin/a", {"a", "b"}, {"X=1"}, 3}};
    s.hooks.poststop = {{"/bin/z", {}, {}, {}}};
    s.network.mode = spec::Network::Mode::none;
    s.net_devices = {{"eth7", "eth0"}, {"eth8", ""}};
    s.resources.rdt = true, s.resources.rdt_clos = "guaranteed", s.resources.rdt_l3 = "L3:0=f", s.resources.rdt_schemata = {"MB:0=50"};
    s.resources.memory_policy = "MPOL_BIND", s.resources.memory_policy_nodes = "0-1,3",
    s.resources.memory_policy_flags = {"MPOL_F_STATIC_NODES"};
}

void all_resources(spec::MachineSpec& s) {
    spec::Resources& r = s.resources;
    r.memory_max = 1 << 20, r.memory_low = 4096, r.swap_max = UINT64_MAX;
    r.cpu_quota = 333334, r.cpu_period = 30000, r.cpu_weight = 39, r.cpu_idle = true;
    r.cpuset_cpus = "0", r.tasks_max = 7;
    r.hugetlb = {{"2MB", 4194304}};
    r.unified = {{"io.max", "8:0 rbps=1"}, {"io.max", "8:16 rbps=2"}, {"memory.high", "9"}};
    r.device_rules = {{false, 'a', {}, {}, "rwm"}, {true, 'c', 10, 229, "rw"}, {false, 'b', 8, {}, "w"}};
    s.devices.resize(3);
    s.devices[0].target = "/dev/fuse", s.devices[0].exact = {'c', 10, 229, 0660, 1000, 1000};
    s.devices[1].target = "/dev/bus/usb/1", s.devices[1].exact = {'u', 189, 1, {}, {}, {}};
    s.devices[2].target = "/opt/fifo", s.devices[2].exact = {'p', 0, 0, 0600, {}, {}};
    s.mounts[4].writable = true;
}

struct Case {
    const char* name;
    void (*change)(spec::MachineSpec&, spec::HostFacts&);
};
const Case cases[] = {
    {"bundle", [](auto&, auto&) {}},
    {"bundle-users", [](auto& s, auto&) { user_namespace(s); }},
    {"bundle-mounts", [](auto& s, auto&) { all_mounts(s); }},
    {"bundle-process", [](auto& s, auto&) { all_of_process(s); }},
    {"bundle-resources", [](auto& s, auto&) { user_namespace(s), all_resources(s); }},
    {"bundle-rootless", [](auto& s, auto& f) { f = inside_user_namespace(), s.resources.device_rules.clear(); }},
    {"bundle-host-namespaces",
     [](auto& s, auto&) {
         user_namespace(s);
         s.namespaces.pid = s.namespaces.ipc = s.namespaces.uts = s.namespaces.cgroup = "host";
         s.network.mode = spec::Network::Mode::host, s.integration.hostname.clear();
     }},
    {"bundle-joined",
     [](auto& s, auto& f) {
         s.users.path = "/proc/7/ns/user", f.user_uid_maps = f.user_gid_maps = {{0, 200000, 1000}};
         s.namespaces.mount = "/proc/7/ns/mnt", s.namespaces.pid = "/proc/7/ns/pid";
         s.namespaces.time = true, s.namespaces.time_path = "/proc/7/ns/time";
         s.network.mode = spec::Network::Mode::path, s.network.path = "/proc/7/ns/net";
     }},
    {"bundle-bare",
     [](auto& s, auto&) {
         s.mounts.clear(), s.security = {}, s.process.environment.set.clear(), s.resources = {};
         s.process.user.ids.reset();
     }},
    {"bundle-foreign-dev",
     [](auto& s, auto&) {
         s.mounts = {bind("/dev", "/dev"), mount("proc", "/proc")};
     }},
};

class BundleGolden : public testing::TestWithParam<Case> {};
TEST_P(BundleGolden, IsAsBefore) {
    spec::MachineSpec spec = bundle();
    spec::HostFacts facts = samples::host();
    facts.tree = {}, facts.cgroup_base = "croft-oci";
    GetParam().change(spec, facts);
    expect_golden(GetParam().name, planned(spec, facts));
}
INSTANTIATE_TEST_SUITE_P(Plans, BundleGolden, testing::ValuesIn(cases), [](const auto& row) {
    std::string name = row.param.name;
    std::ranges::replace(name, '-', '_');
    return name;
});

// ---------------------------------------------------------------- what is refused

struct Wrong {
    const char* name;
    Errc code;
    const char* words;  // part of the sentence
    void (*change)(spec::MachineSpec&, spec::HostFacts&);
};
void add(spec::MachineSpec& s, spec::Mount m) {
    s.mounts.push_back(std::move(m));
}
const Wrong wrongs[] = {
    {"no_command", Errc::invalid, "process.args", [](auto& s, auto&) { s.process.command = {""}; }},
    {"no_root", Errc::invalid, "root.path", [](auto& s, auto&) { s.root.directory.clear(); }},
    {"ids_of_others", Errc::denied, "the ids 100000 to 165535 of the host",
     [](auto& s, auto& f) { f = inside_user_namespace(), user_namespace(s), f.own_uid_maps = {{1000, 1000, 1}, {100000, 100000, 65535}}; }},
    {"no_rights", Errc::denied, "needs root", [](auto&, auto& f) { f.admin = f.privileged = false; }},
    {"no_root_in_map", Errc::invalid, "no id for the container's root",
     [](auto& s, auto&) {
         s.users.mode = UserMode::maps, s.users.uid_maps = s.users.gid_maps = {{1, 5000, 10}};
     }},
    {"user_outside_map", Errc::invalid, "process.user: 5000:0 is not among",
     [](auto& s, auto&) {
         s.users.mode = UserMode::maps, s.users.uid_maps = s.users.gid_maps = {{0, 5000, 10}};
         s.process.user.ids = {5000, 0};
     }},
    {"group_outside_map", Errc::invalid, "process.user.additionalGids: the group 70",
     [](auto& s, auto&) {
         s.users.mode = UserMode::maps, s.users.uid_maps = s.users.gid_maps = {{0, 5000, 10}};
         s.process.user.extra_groups = {70};
     }},
    {"time_of_another", Errc::invalid, "timeOffsets",
     [](auto& s, auto&) {
         s.namespaces.time = true, s.namespaces.time_path = "/t", s.namespaces.boottime_offset = 1;
     }},
    {"memory", Errc::unsupported, "linux.resources.memory.limit: this host has no cgroup2 memory controller",
     [](auto& s, auto& f) { s.resources.memory_max = 1, f.cgroup_controllers = {"pids"}; }},
    {"pids_without_cgroup", Errc::unsupported, "linux.resources.pids.limit: this host has no cgroup2",
     [](auto& s, auto& f) { s.resources.tasks_max = 1, f.cgroup_root = ""; }},
    {"unified_path", Errc::invalid, "linux.resources.unified.../memory.max",
     [](auto& s, auto&) {
         s.resources.unified = {{"../memory.max", "1"}};
     }},
    {"cgroup_dots", Errc::invalid, "linux.cgroupsPath", [](auto& s, auto&) { s.resources.cgroup_path = "/a/../.."; }},
    {"cgroup_root", Errc::invalid, "the root of all groups", [](auto& s, auto&) { s.resources.cgroup_path = "//."; }},
    {"on_the_root", Errc::invalid, "mounts[8] (/): nothing can be mounted on the root",
     [](auto& s, auto&) { add(s, mount("tmpfs", "/a/..")); }},
    {"tmpfs_on_proc", Errc::invalid, "only a proc file system", [](auto& s, auto&) { add(s, mount("tmpfs", "/proc")); }},
    {"bind_on_proc", Errc::invalid, "only a proc file system", [](auto& s, auto&) { add(s, bind("/data", "proc/")); }},
    {"bind_below_proc", Errc::invalid, "mounts[8] (/proc/self/attr): nothing can be mounted there",
     [](auto& s, auto&) { add(s, bind("/data", "/proc/self/attr")); }},
    {"bind_without_source", Errc::invalid, "needs a source", [](auto& s, auto&) { add(s, bind("", "/a")); }},
    {"bind_option", Errc::invalid, "'size' is no option of a bind",
     [](auto& s, auto&) { add(s, bind("/data", "/a", {"size=3"})); }},
    {"bind_word", Errc::invalid, "'colour' is no option of a bind",
     [](auto& s, auto&) { add(s, bind("/data", "/a", {"colour"})); }},
    {"copyup_of_bind", Errc::invalid, "for a tmpfs only",
     [](auto& s, auto&) { add(s, bind("/data", "/a", {"tmpcopyup"})); }},
    {"copyup_below_sys", Errc::invalid, "not possible below",
     [](auto& s, auto&) { add(s, mount("tmpfs", "/sys/fs/x", {"tmpcopyup"})); }},
    {"tmpfs_id", Errc::invalid, "'uid=4' is no id of this machine",
     [](auto& s, auto&) {
         s.users.mode = UserMode::maps, s.users.uid_maps = s.users.gid_maps = {{0, 5000, 2}};
         add(s, mount("tmpfs", "/a", {"uid=4"}));
     }},
    {"idmap_without_maps", Errc::invalid, "'idmap' needs uidMappings",
     [](auto& s, auto&) { add(s, bind("/data", "/a")), s.mounts.back().ids = spec::BindIds::idmap; }},
    {"half_a_map", Errc::invalid, "must be given together",
     [](auto& s, auto&) { add(s, bind("/data", "/a")), s.mounts.back().uid_mappings = {{0, 1, 1}}; }},
    {"inaccessible", Errc::invalid, "of no kind",
     [](auto& s, auto&) { add(s, mount("tmpfs", "/a")), s.mounts.back().kind = Kind::inaccessible; }},
    {"device_without_path", Errc::invalid, "linux.devices",
     [](auto& s, auto&) { s.devices.resize(1), s.devices[0].exact.emplace(); }},
    {"sysctl_of_host", Errc::invalid, "linux.sysctl: 'vm.swappiness' belongs to the whole host",
     [](auto& s, auto&) {
         s.security.sysctls = {{"vm.swappiness", "1"}};
     }},
    {"sysctl_with_slashes", Errc::invalid, "linux.sysctl: 'kernel/panic'",
     [](auto& s, auto&) {
         s.security.sysctls = {{"kernel/panic", "1"}};
     }},
    {"sysctl_host_network", Errc::invalid, "list a network namespace",
     [](auto& s, auto&) {
         s.security.sysctls = {{"net.core.somaxconn", "1"}}, s.network.mode = spec::Network::Mode::host;
     }},
    {"sysctl_host_ipc", Errc::invalid, "list an ipc namespace",
     [](auto& s, auto&) {
         s.security.sysctls = {{"kernel.shmmax", "1"}}, s.namespaces.ipc = "host";
     }},
    {"sysctl_host_uts", Errc::invalid, "list a uts namespace",
     [](auto& s, auto&) {
         s.security.sysctls = {{"kernel.domainname", "x"}}, s.namespaces.uts = "host", s.integration.hostname = "";
     }},
    {"hostname_of_host", Errc::invalid, "hostname: it would be the host's",
     [](auto& s, auto&) { s.namespaces.uts = "host"; }},
    {"relative_hook", Errc::invalid, "hooks.createRuntime: 'bin/x' is no absolute path",
     [](auto& s, auto&) {
         s.hooks.create_runtime = {{"bin/x", {}, {}, {}}};
     }},
    {"hook_timeout", Errc::invalid, "hooks.poststart: a timeout",
     [](auto& s, auto&) {
         s.hooks.poststart = {{"/bin/x", {}, {}, 0}};
     }},
    {"net_devices_of_host", Errc::invalid, "linux.netDevices",
     [](auto& s, auto&) {
         s.net_devices = {{"eth7", ""}}, s.network.mode = spec::Network::Mode::host;
     }},
    {"memory_mode", Errc::invalid, "linux.memoryPolicy.mode", [](auto& s, auto&) { s.resources.memory_policy = "X"; }},
    {"memory_flag", Errc::invalid, "linux.memoryPolicy.flags",
     [](auto& s, auto&) { s.resources.memory_policy = "MPOL_BIND", s.resources.memory_policy_flags = {"X"}; }},
    {"memory_nodes", Errc::invalid, "linux.memoryPolicy.nodes: 'x'",
     [](auto& s, auto&) { s.resources.memory_policy = "MPOL_BIND", s.resources.memory_policy_nodes = "x"; }},
    {"rlimit", Errc::invalid, "process.rlimits: 'LUCK'",
     [](auto& s, auto&) {
         s.process.rlimits = {{"LUCK", 1, 1}};
     }},
};
class BundleErrors : public testing::TestWithParam<Wrong> {};
TEST_P(BundleErrors, IsRefusedByName) {
    spec::MachineSpec spec = bundle();
    spec::HostFacts facts = samples::host();
    GetParam().change(spec, facts);
    auto plans = plan(spec, facts);
    ASSERT_FALSE(plans);
    EXPECT_NE(plans.error().text.find(GetParam().words), std::string::npos) << plans.error().text;
    EXPECT_EQ(plans.error().code, GetParam().code);
}
INSTANTIATE_TEST_SUITE_P(Plans, BundleErrors, testing::ValuesIn(wrongs),
                         [](const auto& row) { return std::string(row.param.name); });

// ---------------------------------------------------------------- single decisions

TEST(Bundle, PathsAreCleanedByTheirText) {
    EXPECT_EQ(clean_path(""), "/");
    EXPECT_EQ(clean_path("a//b/./c/.."), "/a/b");
    EXPECT_EQ(clean_path("/../../etc/"), "/etc");
    EXPECT_TRUE(is_at_or_below("/proc/1", "/proc"));
    EXPECT_FALSE(is_at_or_below("/process", "/proc"));
    EXPECT_TRUE(is_at_or_below("/process", "/"));
}

TEST(Bundle, RecursiveOptionsAreForAllMountsAndPlainOnesForTheTop) {
    auto options = bundle_options({"rro", "nosuid", "relatime", "rnoatime", "rw", "remount", "size=1", "rsize=2"});
    EXPECT_EQ(options.all.set & ro, ro);
    EXPECT_EQ(options.top.set & nosuid, nosuid);
    EXPECT_EQ(options.data, (std::vector<std::pair<std::string, std::string>>{{"size", "1"}, {"rsize", "2"}}));
}

// A bind on a directory of sysfs is seen only when it comes after the sysfs; one that covers /sys too.
TEST(Bundle, TheOrderOfMountsIsKeptAcrossPlaces) {
    auto spec = bundle();
    spec.mounts.push_back(bind("/fake/firmware", "/sys/firmware"));
    spec.mounts.push_back(bind("/data", "/srv"));
    spec.mounts.push_back(bind("/hostsys", "/sys"));
    auto plans = planned(spec, samples::host());
    std::vector<std::string> inside;
    for (const Attach& attach : steps_of<Attach>(plans.launch.inside)) inside.push_back(attach.target);
    EXPECT_EQ(inside, (std::vector<std::string>{"/proc", "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/dev/mqueue",
                                                "/dev/shm", "/etc/hostname", "/sys/firmware", "/srv", "/sys"}));
}

TEST(Bundle, TheDefaultShareNeedsNoController) {
    auto spec = bundle();
    auto facts = samples::host();
    facts.cgroup_controllers.clear();
    spec.resources.cpu_weight = 100;
    EXPECT_TRUE(planned(spec, facts).launch.cgroup.settings.empty());
    spec.resources.cpu_weight = 99;
    EXPECT_FALSE(plan(spec, facts));
}

TEST(Bundle, AllDevicesAllowedNeedNoPolicy) {
    auto spec = bundle();
    spec.resources.device_rules = {{false, 'a', {}, {}, "rwm"}, {true, 'a', {}, {}, "rwm"}};
    auto plans = planned(spec, samples::host());
    EXPECT_FALSE(plans.launch.cgroup.device_policy);
    EXPECT_TRUE(plans.launch.cgroup.devices.empty());
}

TEST(Bundle, AListedDeviceStandsInForTheDefaultOne) {
    auto spec = bundle();
    spec.devices.resize(1);
    spec.devices[0].target = "/dev/null", spec.devices[0].exact = {'c', 1, 3, 0600, {}, {}};
    auto plans = planned(spec, samples::host());
    auto nodes = steps_of<MakeNode>(plans.launch.host);
    EXPECT_EQ(std::ranges::count(nodes, std::string("null"), &MakeNode::path), 1);
    EXPECT_EQ(std::ranges::find(nodes, std::string("null"), &MakeNode::path)->mode, 0600u);
}

// gid=5 of a terminal's file system is dropped where no 5 is, as the payload could not mount it otherwise.
TEST(Bundle, TheTerminalsGroupIsLeftOutWhereItIsNot) {
    auto spec = bundle();
    spec.users.mode = UserMode::maps, spec.users.uid_maps = spec.users.gid_maps = {{0, 1000, 1}};
    for (const auto& facts : {samples::host(), inside_user_namespace()}) {
        auto plans = planned(spec, facts);
        for (const MakeFs& fs : steps_of<MakeFs>(plans.launch.inside))
            for (const auto& [key, value] : fs.options) EXPECT_NE(key, "gid");
        spec.users = {}, spec.users.mode = UserMode::no, spec.resources = {};
    }
}

TEST(Bundle, ACapabilityThatCannotBeGrantedIsAWarning) {
    auto spec = bundle();
    auto facts = samples::host();
    facts.capability_bounding = 1;  // CAP_CHOWN
    spec.security.capabilities->bounding.push_back("CAP_FLY");
    auto plans = planned(spec, facts);
    ASSERT_EQ(plans.warnings.size(), 1u);
    for (const char* name : {"CAP_FLY", "CAP_KILL", "CAP_NET_RAW"})
        EXPECT_NE(plans.warnings[0].find(name), std::string::npos) << plans.warnings[0];
    EXPECT_EQ(plans.launch.process.cap_bounding, 1u);
    EXPECT_EQ(plans.launch.process.cap_effective, 1u);
}

TEST(Bundle, LabelsAreLeftOutWhereTheHostHasNoSuchModule) {
    auto spec = bundle();
    spec.process.apparmor_profile = "p", spec.process.selinux_label = "l", spec.process.selinux_mount_label = "m";
    auto facts = samples::host();
    auto options = [](const Plans& plans) {
        size_t labelled = 0;
        for (const auto* list : {&plans.launch.host, &plans.launch.inside})
            for (const MakeFs& fs : steps_of<MakeFs>(*list))
                labelled += std::ranges::count(fs.options, std::pair<std::string, std::string>("context", "m"));
        return labelled;
    };
    auto with = planned(spec, facts);
    EXPECT_EQ(with.launch.process.selinux, "l");
    EXPECT_EQ(options(with), 4u);  // /dev, /dev/shm, devpts, mqueue
    facts.has_apparmor = facts.has_selinux = false;
    auto without = planned(spec, facts);
    EXPECT_EQ(without.launch.process.apparmor + without.launch.process.selinux, "");
    EXPECT_EQ(without.warnings.size(), 2u);
    EXPECT_EQ(options(without), 0u);
}

TEST(Bundle, WithoutAMountNamespaceTheHostsIsJoined) {
    auto spec = bundle();
    spec.namespaces.mount = "host";
    auto plan = planned(spec, samples::host()).launch;
    ASSERT_EQ(plan.join.size(), 1u);
    EXPECT_EQ(plan.join[0].path, launch::host_mounts);
    EXPECT_EQ(plan.join[0].type, uint64_t{CLONE_NEWNS});
    spec.users.mode = UserMode::maps, spec.users.uid_maps = spec.users.gid_maps = {{0, 5000, 10}};
    plan = planned(spec, samples::host()).launch;
    EXPECT_TRUE(plan.join.empty());
    EXPECT_TRUE(plan.new_namespaces & CLONE_NEWNS);
}

TEST(Bundle, TheRootBecomesReadOnlyWhenAllMountPointsAreMade) {
    auto spec = bundle();
    spec.root.read_only = true;
    auto plans = planned(spec, samples::host());
    EXPECT_EQ(steps_of<OpenTree>(plans.launch.host)[0].attr.set, 0u);
    auto changes = steps_of<launch::SetAttr>(plans.launch.stage);
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].attr.set, ro);
    EXPECT_EQ(changes[0].slot, steps_of<launch::AttachRoot>(plans.launch.stage)[0].slot);
}

}  // namespace
}  // namespace croft::plan
