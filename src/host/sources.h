// Paths and devices that a spec names: are they there, what are they, whose are they. Called by facts.cc.
#pragma once

#include "spec/host_facts.h"
#include "spec/machine_spec.h"

namespace croft::host {

// Bind and overlay sources, devices and device classes, on the host.
void ask_sources(const spec::MachineSpec& spec, spec::HostFacts& facts);
// Mount targets inside the tree whose owner a bind wants (owner_idmap).
void ask_target_owners(int root, const spec::MachineSpec& spec, spec::TreeFacts& facts);

}  // namespace croft::host
