// Whole plans, compared with files: one case a file in golden/.
#include <gtest/gtest.h>

#include "golden.h"
#include "samples.h"

namespace croft::plan {
namespace {

using spec::BindIds;
using spec::Mount;

struct Case {
    const char* name;
    void (*change)(spec::MachineSpec&, spec::HostFacts&);
    bool boot = false;
};

Mount bind(std::string source, std::string target) {
    Mount mount;
    mount.source = std::move(source), mount.target = std::move(target);
    return mount;
}

void all_limits(spec::MachineSpec& s, spec::HostFacts& f) {
    spec::Resources& r = s.resources;
    r.memory_max = 536870912, r.memory_high = 402653184, r.memory_low = 1048576, r.memory_min = 4096,
    r.swap_max = 0;
    r.cpu_quota = 1500000, r.cpu_burst = 1000, r.cpu_weight = 50;
    r.cpuset_cpus = "0-3", r.cpuset_mems = "0";
    r.tasks_max = UINT64_MAX;
    r.io_weight = 200;
    r.io_max = {{"/dev/sda", "rbps=1048576 wiops=120"}};
    r.hugetlb = {{"2MB", 4194304}};
    r.unified = {{"memory.oom.group", "1"}, {"cgroup.max.depth", "3"}};
    r.unit_properties = {{"MemoryMax", "512M"}, {"CPUQuota", "150%"}, {"IPAddressDeny", "any"}};
    f.devices["/dev/sda"] = {'b', 8, 0, 0660, 0, 6};
}

void all_mounts(spec::MachineSpec& s, spec::HostFacts& f) {
    f.path_is_directory = {
        {"/srv/data", true}, {"/etc/app.conf", false}, {"/srv/lower", true}, {"/srv/upper", true}};
    f.path_owners = {{"/srv/data", {1000, 1000}}};
    f.tree.target_owners = {{"/home/me", {33, 33}}};
    s.mounts = {bind("/srv/data", "/data"), bind("/etc/app.conf", "/etc/app.conf"),
                bind("+/var/lib", "/mnt/lib"), bind("", "/fresh")};
    s.mounts[1].writable = false;
    s.mounts[1].options = {"nosuid", "noexec"};
    for (BindIds ids : {BindIds::none, BindIds::root_idmap, BindIds::owner_idmap}) {
        s.mounts.push_back(bind("/srv/data", ids == BindIds::owner_idmap ? "/home/me" : "/data2"));
        s.mounts.back().ids = ids;
        s.mounts.back().propagation = spec::Propagation::rslave;
        s.mounts.back().recursive = false;
    }
    Mount tmpfs;
    tmpfs.kind = Mount::Kind::tmpfs, tmpfs.target = "/cache",
    tmpfs.options = {"size=10M", "mode=1777", "uid=33", "exec"};
    Mount overlay;
    overlay.kind = Mount::Kind::overlay, overlay.target = "/over",
    overlay.layers = {"+/opt", "/srv/lower", "/srv/upper"};
    Mount overlay_fresh = overlay;
    overlay_fresh.layers = {"/srv/lower", ""}, overlay_fresh.target = "/over2";
    Mount overlay_ro = overlay;
    overlay_ro.writable = false, overlay_ro.target = "/over3";
    Mount hidden;
    hidden.kind = Mount::Kind::inaccessible, hidden.target = "/etc/shadow";
    s.mounts.insert(s.mounts.end(), {tmpfs, overlay, overlay_fresh, overlay_ro, hidden});
}

void devices(spec::MachineSpec& s, spec::HostFacts& f) {
    f.devices["/dev/snd/timer"] = {'c', 116, 33, 0660, 0, 29};
    f.devices["/dev/sda"] = {'b', 8, 0, 0660, 0, 6};
    f.device_classes["block-loop"] = {7};
    s.devices = {{"/dev/snd/timer", "", "rw", true},
                 {"/dev/sda", "/disks/a", "r", true},
                 {"block-loop", "", "rwm", false}};
    s.resources.device_rules = {{false, 'c', 1, 3, "w"}};
}

void whole_process(spec::MachineSpec& s, spec::HostFacts& f) {
    f.tree.uid = 33, f.tree.gid = 33, f.tree.groups = {33, 4};
    f.tree.user_name = "www-data", f.tree.home = "/var/www", f.tree.user_shell = "/usr/sbin/nologin";
    f.caller_environment["LANG"] = "de_DE.UTF-8";
    spec::Process& p = s.process;
    p.init = true;
    p.environment.set = {{"A", "1"}, {"PATH", "/opt/bin"}, {"A", "2"}};
    p.environment.pass = {"LANG", "NOT_THERE"};
    p.user.name = "www-data", p.user.extra_groups = {50, 4}, p.user.umask = 077;
    p.directory = "/srv";
    p.rlimits = {{"NOFILE", 64, 128}, {"NICE", 20, 20}};
    p.oom_score_adjust = 500;
    p.cpu_affinity = "0-2,5";
    p.personality = "x86";
    p.scheduler = spec::Scheduler{"SCHED_BATCH", 5, 0, {"SCHED_FLAG_RESET_ON_FORK"}, 0, 0, 0};
    p.io_priority_class = "IOPRIO_CLASS_BE", p.io_priority = 3;
    p.stop_signal = "SIGQUIT", p.stop_timeout = 5'500'000;
    p.terminal = spec::Terminal::pty;
    s.security.cap_add = {"CAP_SYS_TIME"}, s.security.cap_drop = {"CAP_MKNOD"},
    s.security.cap_ambient = {"CAP_NET_BIND_SERVICE"};
    s.security.sysctls = {{"net.ipv4.ip_forward", "1"}, {"net/ipv4/conf/eth0.1/forwarding", "1"}};
    s.security.masked_paths = {"/proc/kcore"}, s.security.readonly_paths = std::vector<std::string>{};
    s.security.syscalls_allow = {"bpf"}, s.security.suppress_sync = true;
    s.integration.credentials = {{"secret", std::string("a\0b", 3), ""}};
    s.integration.hostname = "www", s.integration.domainname = "example";
}

// Two layers of an image, and a machine's own directory in the store.
void layers(spec::MachineSpec& s) {
    s.root.layers = {"/var/lib/croft/store/layers/sha256-a/tree", "/var/lib/croft/store/layers/sha256-b/tree"};
}
constexpr const char* machine_directory = "/var/lib/croft/store/machines/web";

void rootless(spec::MachineSpec& s, spec::HostFacts& f) {
    f.uid = 1000, f.privileged = false, f.id_base.reset();
    f.cgroup_base = "user.slice/user-1000.slice/croft", f.cgroup_controllers = {"memory", "pids"};
    s.network.mode = spec::Network::Mode::host;
}

const Case cases[] = {
    {"app", [](auto&, auto&) {}},
    {"app-no-userns", [](auto& s, auto&) { s.users.mode = spec::UserNamespace::Mode::no; }},
    {"app-host-network", [](auto& s, auto&) { s.network.mode = spec::Network::Mode::host; }},
    {"app-rootless", rootless},
    {"app-shifted-tree", [](auto&, auto& f) { f.tree.owner_uid = f.tree.owner_gid = 1048576; }},
    {"app-read-only",
     [](auto& s, auto&) { s.root.read_only = true, s.process.notify_ready = spec::NotifyReady::yes; }},
    {"app-ephemeral", [](auto& s, auto&) { s.root.ephemeral = true; }},
    {"app-image", [](auto& s, auto&) { layers(s); }},
    {"app-image-read-only", [](auto& s, auto&) { layers(s), s.root.read_only = true; }},
    {"app-image-no-userns", [](auto& s, auto&) { layers(s), s.users.mode = spec::UserNamespace::Mode::no; }},
    {"app-image-kept", [](auto& s, auto&) { layers(s), s.root.upper = machine_directory; }},
    {"app-image-kept-ephemeral",
     [](auto& s, auto&) { layers(s), s.root.upper = machine_directory, s.root.ephemeral = true; }},
    {"app-pivot-root", [](auto& s, auto&) { s.root.pivot_new = "/deploy/1", s.root.pivot_old = "/sysroot"; }},
    {"app-process", whole_process},
    {"app-mounts", all_mounts},
    {"app-mounts-no-userns",
     [](auto& s, auto& f) { all_mounts(s, f), s.users.mode = spec::UserNamespace::Mode::no; }},
    {"app-devices", devices},
    {"app-limits", all_limits},
    {"app-no-controllers", [](auto&, auto& f) { f.cgroup_controllers.clear(); }},
    {"app-no-cgroup", [](auto&, auto& f) { f.cgroup_root.clear(), f.cgroup_controllers.clear(); }},
    {"app-host-namespaces",
     [](auto& s, auto&) {
         s.namespaces.ipc = s.namespaces.pid = s.namespaces.uts = s.namespaces.cgroup = "host";
         s.network.mode = spec::Network::Mode::path, s.network.path = "/run/netns/blue";
         s.namespaces.time = true, s.namespaces.boottime_offset = -1000;
     }},
    {"boot", [](auto&, auto&) {}, true},
    {"boot-no-userns", [](auto& s, auto&) { s.users.mode = spec::UserNamespace::Mode::no; }, true},
    {"boot-host-network", [](auto& s, auto&) { s.network.mode = spec::Network::Mode::host; }, true},
    {"boot-arguments",
     [](auto& s, auto& f) {
         s.process.command = {"single", "FOO-BAR=x", "systemd.unit=rescue.target"};
         f.stdin_is_terminal = f.stdout_is_terminal = true;
     },
     true},
    {"boot-volatile-yes",
     [](auto& s, auto& f) {
         s.root.volatile_mode = spec::Volatile::yes;
         f.tree.usr_links = {{"bin", "usr/bin"}, {"lib64", "usr/lib"}};
     },
     true},
    {"boot-volatile-state", [](auto& s, auto&) { s.root.volatile_mode = spec::Volatile::state; }, true},
    {"boot-volatile-overlay", [](auto& s, auto&) { s.root.volatile_mode = spec::Volatile::overlay; }, true},
    {"boot-read-only", [](auto& s, auto&) { s.root.read_only = true; }, true},
    {"boot-busybox",
     [](auto&, auto& f) {
         f.tree.init = "/sbin/init", f.tree.systemd_init = false, f.tree.init_kind = spec::InitKind::busybox;
     },
     true},
    {"app-in-unit",
     [](auto& s, auto& f) {
         all_limits(s, f);
         f.unit = "croft-web.service", f.unit_notify = "/run/systemd/notify", f.propagate_directory = "/run/systemd/nspawn/propagate/web";
     }},
    {"boot-in-unit",
     [](auto& s, auto& f) {
         s.resources.slice = "a-b.slice";
         f.unit = "croft@web.service", f.unit_notify = "/run/systemd/notify", f.propagate_directory = "/run/systemd/nspawn/propagate/web";
     },
     true},
    {"boot-in-unit-no-userns",
     [](auto& s, auto& f) {
         s.users.mode = spec::UserNamespace::Mode::no;
         f.unit = "croft-web.service", f.unit_notify = "/run/systemd/notify", f.propagate_directory = "/run/systemd/nspawn/propagate/web";
     },
     true},
    {"boot-unit",
     [](auto& s, auto&) {
         s.unit_settings = {{"Unit.After", "db.service"},
                            {"Service.Restart", "on-failure"},
                            {"Install.WantedBy", "multi-user.target"}};
         s.resources.slice = "web.slice", s.resources.unit_properties = {{"TasksMax", "99"}};
         s.resources.tasks_max = 99;
     },
     true},
};

class Golden : public testing::TestWithParam<Case> {};

TEST_P(Golden, IsAsBefore) {
    spec::MachineSpec spec = GetParam().boot ? samples::boot() : samples::app();
    spec::HostFacts facts = GetParam().boot ? samples::boot_host() : samples::host();
    GetParam().change(spec, facts);
    expect_golden(GetParam().name, samples::planned(spec, facts));
}

INSTANTIATE_TEST_SUITE_P(Plans, Golden, testing::ValuesIn(cases), [](const auto& row) {
    std::string name = row.param.name;
    for (char& c : name)
        if (c == '-') c = '_';
    return name;
});

}  // namespace
}  // namespace croft::plan
