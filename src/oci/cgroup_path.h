// Where a container's control group is: runtime-spec's cgroupsPath, as the two kinds of managers read it.
#pragma once

#include "base/result.h"
#include "oci/arguments.h"
#include "spec/machine_spec.h"

namespace croft::oci {

// Makes resources.cgroup_path, as config.json has it, a path below the cgroup2 mount.
Result<> choose_cgroup(const Global& global, spec::MachineSpec& spec);

}  // namespace croft::oci
