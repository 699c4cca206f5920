// The end of a container: what is left of it is killed and removed.
#pragma once

#include "base/result.h"
#include "oci/container.h"

namespace croft::oci {

// Everything of it: processes, control group, files. For a container that is locked. What cannot be removed stays to be
// deleted again, and is told.
Result<> destroy(const Places& places, const Container& container);

}  // namespace croft::oci
