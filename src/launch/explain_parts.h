// The parts of explain(): only for explain*.cc.
#pragma once

#include <string_view>

#include "launch/launch_plan.h"

namespace croft::launch {

// "…: Permission denied (what to do)"; an empty hint adds nothing.
Error with_hint(Error e, std::string_view hint);
// Phase::process and Phase::exec.
Error process_error(const LaunchPlan& plan, const StepFailure& failure);
Error exec_error(const LaunchPlan& plan, const StepFailure& failure);

}  // namespace croft::launch
