// createContainer hooks: run in the machine's namespaces, but with paths of the host, which the machine's
// mounts do not show. A process of the launcher's enters these namespaces and puts a copy of the host's tree
// below the stage's root, out of the machine's reach, with the machine's own root at its place in it; what a
// hook mounts there is mounted in the machine. All of that is gone again before the payload goes on. Called
// by launch(), while the payload waits.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "run/launch.h"

namespace croft::run {

// The pid as the machine itself counts it: the innermost namespace is the last one.
Result<pid_t> inner_pid(pid_t pid);

struct ContainerHooksPlace {
    pid_t pid;  // of the payload's process
    int pidfd;
    int stage;            // the root of its stage
    uint64_t namespaces;  // CLONE_NEW* bits to enter: those that are not the launcher's
};
Result<> run_container_hooks(const launch::LaunchPlan& plan, const LaunchEnvironment& environment,
                             const ContainerHooksPlace& place);

}  // namespace croft::run
