// Plans for the tests of launch/.
#pragma once

#include "launch/launch_plan.h"

namespace croft::launch::samples {

// One step of each kind, no member at its default.
inline std::vector<Step> every_step() {
    MountAttr attr{1, 2, 1 << 18};
    return {
        MakeUserns{1, {{0, 524288, 65536}}, {{0, 5, 1}, {1, 6, 2}}},
        OpenTree{2, "/srv/tree", 7, true, attr, 1, 2, 4, true},
        OpenLoop{8, "/srv/disk.raw", 1048576, 4096, true},
        MakeFs{3, "tmpfs", "dev", {{"mode", "0755"}, {"noswap", ""}}, 6, 7, 8, 9},
        MakeOverlay{4, {2, 3}, 5, "upper", "work", {{"volatile", ""}}, 1, 2, 3},
        AttachRoot{4},
        Attach{3, "/dev", Create::like_source, true, 10, 20, true, true},
        MakePoint{"/etc/resolv.conf", false, true, 3, 4, 5},
        CopyUp{3, "/run"},
        MakeDir{3, "pts", 0700, 1, 2},
        MakeNode{3, "null", 'c', 1, 3, 0666, 4, 5, true},
        MakeLink{3, "fd", "/proc/self/fd", true, true, 6, 7},
        MakeFile{3, "x", std::string("a\0\xff", 3), 0400, 8, 9, true, true},
        MakeFifo{3, "kmsg", 0600, 1, 2},
        Remove{4, "etc/resolv.conf"},
        CopyFile{"/etc/os-release", 3, "os-release", 0444, 1, 2, true},
        NotifySocket{8, 3, "notify", 3, 4},
        SetAttr{"/run/host", attr, true, 6},
        BindInside{"/proc/sys", "/proc/sys2", attr, true, true},
        Mask{"/proc/kcore", false, true},
        DropStageApi{},
        EnterRoot{},
        PivotRoot{"/new", "/old"},
        Sysctl{"net/ipv4/ip_forward", "1"},
        SetHostname{"web", "example"},
        LoopbackUp{},
        OpenConsole{false, 24, 80},
        ContainerHooks{},
        Fail{5},
    };
}

inline LaunchPlan full_plan() {
    LaunchPlan plan;
    plan.name = "web";
    plan.boot = true;
    plan.new_namespaces = 0x7e020000;
    plan.join = {{"/run/netns/x", 0x40000000}};
    plan.uid_maps = plan.gid_maps = {{0, 524288, 65536}};
    plan.monotonic_offset = -5;
    plan.boottime_offset = INT64_MIN;
    plan.cgroup = {"croft/web", "payload",
                   {"memory"},  {"io"},
                   ExistingGroup::take, {{"memory.max", "1024"}},
                   true,        {{'c', 1, 3, "rwm", true}, {'a', -1, -1, "m", false}},
                   true,        524288,
                   524289,       true};
    plan.slots = 9;
    plan.notify = 8;
    plan.host = plan.stage = plan.inside = every_step();
    Process& p = plan.process;
    p.argv = {"/sbin/init", ""};
    p.env = {"A=b"};
    p.search_path = "/bin";
    p.directory = "/srv";
    p.init = true;
    p.uid = 1, p.gid = 2, p.umask = 077;
    p.groups = {3, 4};
    p.cap_bounding = UINT64_MAX, p.cap_effective = 1, p.cap_inheritable = 2, p.cap_ambient = 3,
    p.cap_permitted = 7;
    p.no_new_privileges = true;
    p.seccomp = "croft-seccomp 1\ndefault\n";
    p.rlimits = {{7, 1024, UINT64_MAX}};
    p.oom_score_adjust = -1000;
    p.cpu_affinity = {0, 3};
    p.personality = 8;
    p.sched_policy = "SCHED_BATCH";
    p.sched_nice = -20, p.sched_priority = 1, p.sched_flags = 2;
    p.sched_runtime = 3, p.sched_deadline = 4, p.sched_period = 5;
    p.io_priority = 6;
    p.apparmor = "a", p.selinux = "b";
    p.terminal = true;
    p.parent_death_signal = 9;
    p.new_keyring = false;
    p.wait_start = true;
    p.memory_policy = 0x8003;
    p.memory_policy_nodes = {0, 65};
    p.seccomp_listener = "/run/agent", p.seccomp_metadata = "m";
    p.exec_affinity_initial = {1}, p.exec_affinity_final = {0, 2};
    Hook hook = {"/bin/hook", {"hook", "a"}, {"A=b"}, 5};
    plan.hooks = {{hook}, {hook, hook}, {}, {hook}, {hook}, {hook}};
    plan.net_devices = {{"eth1", "net%d"}};
    plan.rdt = {"group", {"L3:0=f"}, true, true};
    plan.stop_signal = 37;
    plan.stop_timeout = UINT64_MAX;
    plan.wait_ready = true;
    plan.cleanup.remove_trees = {"/var/lib/croft/scratch/web"};
    return plan;
}

}  // namespace croft::launch::samples
