// Groups of resctrl (Documentation/arch/x86/resctrl.rst): a share of the caches and of the memory bandwidth.
// Called by launch(), and by whoever removes a machine.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

// Makes the group of the plan if it has one, gives it its schemata and puts the process into it. True when
// the group was not there before: who made it removes it.
Result<bool> join_rdt(const launch::LaunchPlan& plan, pid_t pid);
// Other schemata for the plan's group, while machines are in it.
Result<> change_rdt(const launch::LaunchPlan& plan, const std::vector<std::string>& schemata);
// `made`: also the group itself, not only the monitoring group of this machine.
void remove_rdt(const launch::LaunchPlan& plan, bool made);

}  // namespace croft::run
