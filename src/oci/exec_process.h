// The process that `exec` runs: from --process, or from the container's own with what the flags say.
#pragma once

#include "base/result.h"
#include "launch/launch_plan.h"
#include "oci/arguments.h"
#include "oci/container.h"

namespace croft::oci {

// A plan for run/join.h. `kept` is the container's process.
Result<launch::LaunchPlan> exec_plan(const Call& call, const Container& container, launch::Process kept);

}  // namespace croft::oci
