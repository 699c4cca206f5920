// What facts.cc and bundle.cc ask the kernel both.
#pragma once

#include "host/facts.h"

namespace croft::host {

// The initial user namespace is the one that maps every id onto itself.
bool in_initial_user_namespace();
// gather() for an OCI bundle (Layout::bundle): only what its plan depends on.
Result<spec::HostFacts> gather_bundle(const spec::MachineSpec& spec, const GatherOptions& options);

}  // namespace croft::host
