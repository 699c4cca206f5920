// Changing the limits of a container that runs.
#pragma once

#include "base/result.h"
#include "oci/container.h"
#include "spec/machine_spec.h"

namespace croft::oci {

// The flags of `update` as runtime-spec's linux.resources, so that they are read as config.json's are.
Result<std::string> resources_of(const Flags& flags, const Container& container);
// Writes what `resources` has into the control group; what it does not have stays as it is.
Result<> apply_resources(const Container& container, spec::MachineSpec spec);

}  // namespace croft::oci
