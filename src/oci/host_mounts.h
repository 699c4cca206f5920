// A container without a mount namespace of its own: what it sees is mounted among the host's mounts, on its root
// directory, and stays there when it has ended. Called by create and by whoever destroys a container.
#pragma once

#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::oci {

bool shares_mounts(const launch::LaunchPlan& plan);
// Takes away what a launch of this plan has mounted, and nothing below it that was there before.
Result<> remove_mounts(const launch::LaunchPlan& plan);

}  // namespace croft::oci
