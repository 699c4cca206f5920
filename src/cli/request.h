// A command line as a request for a machine: what run, boot and plan ask of manager/request.h.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/arguments.h"
#include "manager/paths.h"
#include "spec/machine_spec.h"

namespace croft::cli {

// Whether the first operand is the tree: not where an option (--image) says it.
bool names_tree(const Arguments& arguments);
// What says it: that operand, or the option's value.
std::string root_word(const Arguments& arguments);

// Warnings (what an untrusted file may not set) are printed here.
Result<spec::MachineSpec> machine_request(const manager::Paths& paths, const Arguments& arguments,
                                          spec::Mode mode);

}  // namespace croft::cli
