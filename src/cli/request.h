// From a command line to a complete MachineSpec: the tree, the machine files that speak about it, and the
// options, merged in the order that --settings asks for. Called by run, boot and plan.
#pragma once

#include "base/result.h"
#include "cli/arguments.h"
#include "spec/machine_spec.h"

namespace croft::cli {

// Warnings (what an untrusted file may not set) are printed here.
Result<spec::MachineSpec> machine_request(const Arguments& arguments, spec::Mode mode);

}  // namespace croft::cli
