// launch: performs a LaunchPlan. The one place where a machine comes into being.
//
// Who may call it: manager/ (or a test), from a process with one thread. What it promises: on success PID 1
// of the machine has been executed and is a child of the caller; on failure nothing is left (mounts, cgroup,
// process, the caller's own namespaces, umask, signal mask and working directory are as before) and the Error
// is launch::explain's sentence.
#pragma once

#include <sys/types.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

// What a plan cannot hold because it is of this process or this host. File descriptors stay the caller's.
struct LaunchEnvironment {
    int run_directory = -1;  // croft's run directory, where the stage is pinned; -1: a stage for the occasion
    std::string helper_directory;  // where croft-init is
    std::string cgroup_root;       // mount point of cgroup2; not looked at when plan.cgroup.path is empty
    int stdio[3] = {0, 1,
                    2};  // what the payload gets (-1: /dev/null); a directory is refused (CVE-2024-21626)
    // The payload becomes a child of the caller's own parent (CLONE_PARENT), which is systemd for a launcher in a
    // unit. Then plan.cgroup.of_unit is set too.
    bool sibling = false;
    // Called when the payload's process is there and waits, before it may go on: for who must be known to somebody else
    // before it can end. An error undoes the launch.
    std::function<Result<>(pid_t)> cloned;
    // Called when the launch has failed, before anything is undone: whose own end that may be.
    std::function<void(const Error&)> failed;
    std::string_view seccomp;    // struct sock_filter[] (run/seccomp_cache.h); empty: no filter
    uint32_t seccomp_flags = 0;  // SECCOMP_FILTER_FLAG_*
    uint32_t preserve_fds = 0;   // so many from 3 on are the payload's, too, if they are not CLOEXEC
    // With process.wait_start: of run/gate.h. launch() then returns when the payload waits at it.
    int gate = -1, gate_answer = -1;
    // The state of the machine as JSON for hooks, with this pid and status ("creating", "created"); and for the program that
    // listens to the system call filter (process.seccomp_listener), runtime-spec's containerProcessState.
    std::function<std::string(pid_t, std::string_view)> state;
    std::function<std::string(pid_t)> seccomp_state;
    std::string root_path;       // where createContainer hooks find the machine's root: of the host's tree

    // For the fault walk. Points are counted through the whole launch: host steps, stage steps, one for the
    // clone, inside steps, then one for each ProcessStage.
    static constexpr uint32_t never = UINT32_MAX;
    uint32_t fail_at = never;  // the point that fails with fail_error instead of being performed
    uint32_t kill_at = never;  // the launcher kills itself with SIGKILL when this point has been performed
    int fail_error = EIO;
};

// How many points fail_at and kill_at can name for this plan.
uint32_t fault_points(const launch::LaunchPlan& plan);

struct Launched {
    pid_t pid = -1;  // as the caller's PID namespace counts
    Fd pidfd;
    Fd console;  // master of the pty an OpenConsole step opened
    Fd notify;   // the datagram socket of plan.notify
    Fd cgroup;   // what was made: the machine's own directory (plan.cgroup.path); in a unit, the payload's below it
    Fd cgroup_parent;
    std::string cgroup_name;  // of `cgroup` below that
    bool made_rdt = false;    // plan.rdt's group was not there: remove_rdt() is to remove it
};

Result<Launched> launch(const launch::LaunchPlan& plan, const LaunchEnvironment& environment);

// Kills and reaps what launch() made and removes its cgroup: for a caller that fails right after it.
void undo(Launched& launched);

}  // namespace croft::run
