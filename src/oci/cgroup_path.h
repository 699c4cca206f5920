// Where a container's control group is: runtime-spec's cgroupsPath, as the two kinds of managers read it.
#pragma once

#include <optional>

#include "base/result.h"
#include "oci/arguments.h"
#include "oci/container.h"
#include "oci/scope.h"
#include "spec/machine_spec.h"

namespace croft::oci {

// Makes resources.cgroup_path, as config.json has it, a path below the cgroup2 mount; with --systemd-cgroup that of a scope,
// where systemd is expected to put it.
Result<std::optional<ScopeName>> choose_cgroup(const Global& global, const Places& places, spec::MachineSpec& spec);

}  // namespace croft::oci
