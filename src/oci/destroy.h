// The end of a container: what is left of it is killed and removed.
#pragma once

#include "base/result.h"
#include "oci/container.h"

namespace croft::oci {

// Everything of it: processes, control group, files. For a container that is locked. What cannot be removed stays to be
// deleted again, and is told.
Result<> destroy(const Places& places, const Container& container);
// The last thing of a container. A hook that fails is a warning: there is nothing left to undo.
void run_poststop(const manager::OciContainer& record, const launch::LaunchPlan& plan);
// poststart hooks. When one fails the container is destroyed.
Result<> run_poststart(const Places& places, const Container& container, const launch::LaunchPlan& plan);

}  // namespace croft::oci
