// Attributes of a process that are set from outside, with the host's privileges: raising a limit or lowering the OOM
// score is denied to a process in a user namespace of its own.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

bool has_attributes(const launch::Process& process);
Result<> set_attributes(pid_t pid, const launch::Process& process);

}  // namespace croft::run
