// A MachineSpec as the text of a machine file, by the field table: what `croft show` and `croft plan` print,
// and what parse_machine_file() reads back to the same spec.
#pragma once

#include <string>

#include "spec/machine_spec.h"

namespace croft::dialect {

// Only what differs from the default. A value that no line of a file can hold (one that ends with a blank or
// a backslash) is shown as a comment that says so.
std::string print_machine_file(const spec::MachineSpec& spec);

}  // namespace croft::dialect
