// A filter that asks somebody else (SCMP_ACT_NOTIFY): its listener's descriptor goes to the program that
// listens at process.seccomp_listener, with the state of the machine (runtime-spec, "The Container Process
// State"). Called within run/.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "run/launch.h"

namespace croft::run {

// `descriptor` is of the payload's process, which waits.
Result<> hand_on_listener(pid_t pid, int pidfd, int descriptor, const launch::LaunchPlan& plan,
                          const LaunchEnvironment& environment);

}  // namespace croft::run
