// Capabilities as sets of bits, their names, and the sets that machines start with. For plan/, and for cli/
// and manager/ to show them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/machine_spec.h"

namespace croft::plan {

// "CAP_CHOWN" is 0. Any of chown, cap_chown, CAP_CHOWN.
std::optional<unsigned> capability_number(std::string_view name);
// "CAP_CHOWN"; a number without a name is "CAP_63".
std::string capability_name(unsigned number);
// The names of the bits, in the order of the numbers.
std::vector<std::string> capability_names(uint64_t set);

// One program: what container engines grant by custom. An init: what systemd expects, as systemd-nspawn(1)
// lists it.
uint64_t app_capabilities();
uint64_t boot_capabilities();

// Names ("CAP_NET_ADMIN", "all") to bits; `all` stands for every capability up to `last`.
Result<uint64_t> capability_set(const std::vector<std::string>& names, uint64_t last);
// What is left of `start` by a machine's own lists. A drop of "all" is where the list starts from, and what is added
// is then the exception; otherwise what is dropped by name goes, also when it was added.
Result<uint64_t> adjusted_set(uint64_t start, const spec::Security& security, uint64_t last);

}  // namespace croft::plan
