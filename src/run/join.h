// join: starts one more process in a running machine (croft exec, croft shell).
//
// Who may call it: manager/, from a process with one thread. It needs nothing from the machine: no shell, no
// helper, no D-Bus. The new process is a child of the caller, lives in the cgroup the machine's leader lives
// in right now, and gets its attributes by the same code as a machine's PID 1. On failure nothing is left.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "launch/launch_plan.h"
#include "run/launch.h"

namespace croft::run {

struct JoinRequest {
    pid_t leader = -1;      // the machine's PID 1, as the caller counts
    int leader_pidfd = -1;  // opened before the pid was checked against the machine's record
    uint64_t namespaces =
        0;  // CLONE_NEW* bits to enter: new_namespaces and the joined ones of the machine's plan
    // The group to live in, below the environment's cgroup_root; empty: the one that the leader lives in right now.
    std::string group;
};

// Of `plan` only name, process and inside are used. inside may hold an OpenConsole step (console = false): a
// terminal of the machine's own devpts; process.terminal then makes it the process's streams. run_directory
// is not needed. Without a user namespace the last exec is made by croft-init from a read-only mount (see
// child.h, CVE-2019-5736).
Result<Launched> join(const JoinRequest& machine, const launch::LaunchPlan& plan,
                      const LaunchEnvironment& environment);

}  // namespace croft::run
