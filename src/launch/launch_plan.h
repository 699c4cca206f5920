// LaunchPlan: what the kernel shall do to make one machine; made by plan/, performed by run/.
//
// Three lists of steps, in three places:
//   host    by the launcher, among the host's mounts: opens everything that has a host path
//   stage   by the launcher, in a private mount namespace whose own root is an almost empty tmpfs: puts the tree and
//           all binds together with the host's privileges, so that a user namespace cloned from it finds them locked
//   inside  by the payload's process, in its new namespaces and (where there is one) its user namespace
// then `process` is applied in a fixed order and the payload executed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "launch/steps.h"

namespace croft::launch {

// The path that stands for the launcher's own mount namespace: a machine that joins it is mounted among the host's mounts.
inline constexpr std::string_view host_mounts = "/proc/self/ns/mnt";

// An existing namespace to join before the payload is made.
struct JoinNamespace {
    std::string path;
    uint64_t type = 0;              // CLONE_NEWNET …
    static constexpr void fields(auto& v, auto& s) { v("path", s.path), v("type", s.type); }
};

struct CgroupSetting {
    std::string file, value;
    static constexpr void fields(auto& v, auto& s) { v("file", s.file), v("value", s.value); }
};
struct DeviceAccess {               // allow rule of the device policy; everything else is refused
    char type = 'c';                // 'c', 'b', 'a'
    int64_t major = -1, minor = -1; // -1: any
    std::string access;             // of r w m
    bool allow = true;
    static constexpr void fields(auto& v, auto& s) {
        v("type", s.type), v("major", s.major), v("minor", s.minor), v("access", s.access), v("allow", s.allow);
    }
};
// What is done when the group is there already: one that is empty is made anew (replace), one is taken as it is when it
// has no processes, or always.
enum class ExistingGroup : uint8_t { replace, without_processes, take };
struct Cgroup {
    std::string path;               // below the cgroup2 mount ("croft/web"); empty: stay in the caller's
    std::string payload;            // subgroup the payload lives in and owns ("payload"), or ""
    std::vector<std::string> controllers;   // to enable on the way down
    std::vector<std::string> more_controllers;  // likewise, where they can be enabled
    ExistingGroup existing = ExistingGroup::replace;
    std::vector<CgroupSetting> settings;
    bool device_policy = false;
    std::vector<DeviceAccess> devices;
    bool delegate = false;          // chown the payload's group (the group itself, without one) to owner_uid/gid
    uint32_t owner_uid = 0, owner_gid = 0;
    bool of_unit = false;           // it is the group of the launcher's own unit: systemd has made and limited it
    bool of_scope = false;          // it is the group of a scope that systemd has made for the payload, which enters it
    static constexpr void fields(auto& v, auto& s) {
        v("path", s.path), v("payload", s.payload), v("controllers", s.controllers),
            v("more_controllers", s.more_controllers), v("existing", s.existing), v("settings", s.settings),
            v("device_policy", s.device_policy), v("devices", s.devices), v("delegate", s.delegate),
            v("owner_uid", s.owner_uid), v("owner_gid", s.owner_gid), v("of_unit", s.of_unit), v("of_scope", s.of_scope);
    }
};

struct ResourceLimit {
    uint32_t resource = 0;          // RLIMIT_*
    uint64_t soft = 0, hard = 0;
    static constexpr void fields(auto& v, auto& s) { v("resource", s.resource), v("soft", s.soft), v("hard", s.hard); }
};

// The payload's process. Applied in the order of systemd.exec(5)'s own child: identity last, seccomp very last.
struct Process {
    std::vector<std::string> argv;
    std::vector<std::string> env;                // "NAME=VALUE"
    std::string search_path;                     // colon list for argv[0] without a slash
    std::string directory = "/";
    bool init = false;                           // run argv under croft-init
    uint32_t uid = 0, gid = 0, umask = 0022;
    std::vector<uint32_t> groups;
    uint64_t cap_bounding = 0, cap_effective = 0, cap_inheritable = 0, cap_ambient = 0;
    std::optional<uint64_t> cap_permitted;       // unset: as effective
    bool no_new_privileges = false;
    std::string seccomp;                         // canonical filter request (run/seccomp_cache.h); "" none
    std::vector<ResourceLimit> rlimits;
    std::optional<int32_t> oom_score_adjust;
    std::vector<uint32_t> cpu_affinity;          // CPU numbers; empty: as inherited
    std::optional<uint64_t> personality;
    std::string sched_policy;
    int32_t sched_nice = 0, sched_priority = 0;
    uint64_t sched_flags = 0, sched_runtime = 0, sched_deadline = 0, sched_period = 0;
    std::optional<uint32_t> io_priority;         // IOPRIO_PRIO_VALUE
    std::string apparmor, selinux;
    bool terminal = false;                       // streams are the slave opened by OpenConsole, a new session
    uint32_t parent_death_signal = 0;            // foreground machines die with their launcher
    bool new_keyring = true;                     // a session keyring of its own
    bool wait_start = false;                     // everything is ready but exec, until somebody opens the gate
    std::optional<uint32_t> memory_policy;       // MPOL_* with MPOL_F_* (set_mempolicy(2))
    std::vector<uint32_t> memory_policy_nodes;
    std::string seccomp_listener, seccomp_metadata;  // host path of the socket that is sent the notify descriptor
    // Of a process that joins: CPUs before it is in the machine's group, and when it is (empty: cpu_affinity).
    std::vector<uint32_t> exec_affinity_initial, exec_affinity_final;
    static constexpr void fields(auto& v, auto& s) {
        v("argv", s.argv), v("env", s.env), v("search_path", s.search_path), v("directory", s.directory),
            v("init", s.init), v("uid", s.uid), v("gid", s.gid), v("umask", s.umask), v("groups", s.groups),
            v("cap_bounding", s.cap_bounding), v("cap_effective", s.cap_effective),
            v("cap_inheritable", s.cap_inheritable), v("cap_ambient", s.cap_ambient),
            v("cap_permitted", s.cap_permitted),
            v("no_new_privileges", s.no_new_privileges), v("seccomp", s.seccomp), v("rlimits", s.rlimits),
            v("oom_score_adjust", s.oom_score_adjust), v("cpu_affinity", s.cpu_affinity),
            v("personality", s.personality), v("sched_policy", s.sched_policy), v("sched_nice", s.sched_nice),
            v("sched_priority", s.sched_priority), v("sched_flags", s.sched_flags),
            v("sched_runtime", s.sched_runtime), v("sched_deadline", s.sched_deadline),
            v("sched_period", s.sched_period), v("io_priority", s.io_priority), v("apparmor", s.apparmor),
            v("selinux", s.selinux), v("terminal", s.terminal), v("parent_death_signal", s.parent_death_signal),
            v("new_keyring", s.new_keyring), v("wait_start", s.wait_start), v("memory_policy", s.memory_policy),
            v("memory_policy_nodes", s.memory_policy_nodes), v("seccomp_listener", s.seccomp_listener),
            v("seccomp_metadata", s.seccomp_metadata), v("exec_affinity_initial", s.exec_affinity_initial),
            v("exec_affinity_final", s.exec_affinity_final);
    }
};

// A program that is run at a point of the machine's life (runtime-spec "POSIX-platform Hooks"); the machine's state is
// its standard input.
struct Hook {
    std::string path;
    std::vector<std::string> args, env;
    uint32_t timeout = 0;                        // s; 0: none
    bool operator==(const Hook&) const = default;
    static constexpr void fields(auto& v, auto& s) {
        v("path", s.path), v("args", s.args), v("env", s.env), v("timeout", s.timeout);
    }
};
// The launcher runs the first three lists, the payload's process start_container. The last two are for whoever
// started the machine, and are kept here with the others.
struct Hooks {
    std::vector<Hook> prestart, create_runtime, create_container, start_container, poststart, poststop;
    bool operator==(const Hooks&) const = default;
    static constexpr void fields(auto& v, auto& s) {
        v("prestart", s.prestart), v("create_runtime", s.create_runtime), v("create_container", s.create_container),
            v("start_container", s.start_container), v("poststart", s.poststart), v("poststop", s.poststop);
    }
};

// A network device of the host that is moved into the machine's network namespace.
struct NetDevice {
    std::string from, to;
    static constexpr void fields(auto& v, auto& s) { v("from", s.from), v("to", s.to); }
};

// A group of resctrl (Documentation/arch/x86/resctrl.rst).
struct Rdt {
    std::string group;                           // closID; empty: none
    std::vector<std::string> schemata;           // lines, in order
    bool may_exist = false;                      // a group without schemata must be there already
    bool monitoring = false;
    bool operator==(const Rdt&) const = default;
    static constexpr void fields(auto& v, auto& s) {
        v("group", s.group), v("schemata", s.schemata), v("may_exist", s.may_exist), v("monitoring", s.monitoring);
    }
};

// What must be undone when the machine has ended. Idempotent: may run twice, or late.
struct Cleanup {
    std::vector<std::string> remove_trees;       // host directories removed with all below
    static constexpr void fields(auto& v, auto& s) { v("remove_trees", s.remove_trees); }
};

struct LaunchPlan {
    std::string name;
    bool boot = false;
    uint64_t new_namespaces = 0;                 // CLONE_NEW* bits for clone3
    std::vector<JoinNamespace> join;
    std::vector<IdMap> uid_maps, gid_maps;       // empty: no user namespace
    std::optional<int64_t> monotonic_offset, boottime_offset;  // ns, time namespace
    Cgroup cgroup;
    Slot slots = 0;                              // how many are used
    Slot notify = no_slot;                       // the socket to wait on for READY=1
    std::vector<Step> host, stage, inside;
    Process process;
    uint32_t stop_signal = 15;                   // to PID 1 for a clean stop
    uint64_t stop_timeout = 90'000'000;          // µs until SIGKILL
    bool wait_ready = false;                     // started means READY=1 was seen
    Hooks hooks;
    std::vector<NetDevice> net_devices;
    Rdt rdt;
    Cleanup cleanup;
    static constexpr void fields(auto& v, auto& s) {
        v("name", s.name), v("boot", s.boot), v("new_namespaces", s.new_namespaces), v("join", s.join),
            v("uid_maps", s.uid_maps), v("gid_maps", s.gid_maps), v("monotonic_offset", s.monotonic_offset),
            v("boottime_offset", s.boottime_offset), v("cgroup", s.cgroup), v("slots", s.slots),
            v("notify", s.notify), v("host", s.host), v("stage", s.stage), v("inside", s.inside),
            v("process", s.process), v("stop_signal", s.stop_signal), v("stop_timeout", s.stop_timeout),
            v("wait_ready", s.wait_ready), v("hooks", s.hooks),
            v("net_devices", s.net_devices), v("rdt", s.rdt), v("cleanup", s.cleanup);
    }
};

// Where and why a launch failed: all that the payload's side can say before exec, in 12 bytes on a CLOEXEC pipe.
enum class Phase : uint8_t { host, stage, clone, inside, process, exec };
struct StepFailure {
    Phase phase = Phase::host;
    uint8_t detail = 0;                          // Phase::process: which attribute (ProcessStage);
                                                 // Phase::exec: 1 when the file is there (its interpreter is not)
    uint16_t index = 0;                          // of the step in its list
    int32_t error = 0;                           // errno
};
// Which part of Process failed.
enum class ProcessStage : uint8_t {
    session, streams, rlimits, oom_score, affinity, personality, scheduler, io_priority, directory, bounding, groups,
    ids, capabilities, labels, no_new_privileges, seccomp, fds, hostname, parent_death, keyring, memory_policy,
    command                                      // is it there? asked only where exec itself comes later
};
// The sentence for a failure: "mounting proc on /proc: Operation not permitted".
Error explain(const LaunchPlan& plan, const StepFailure& failure);

// Compact bytes for the machine's record, and back. decode refuses anything that encode cannot have written.
std::string encode(const LaunchPlan& plan);
Result<LaunchPlan> decode(std::string_view bytes);
// For people and golden files: the whole plan as indented JSON.
std::string to_json(const LaunchPlan& plan);

}  // namespace croft::launch
