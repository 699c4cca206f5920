// Machine names: what is allowed, and why.
//
// A machine's name is also its host name, a unit name part and a directory name, so it obeys the strictest of
// them: labels of letters, digits and '-' joined by '.', at most 64 characters (hostname(7), Linux's
// __NEW_UTS_LEN), no label starting or ending with '-'.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace croft {

Result<> check_machine_name(std::string_view name);
// The last component of a path, made into a valid machine name ("debian_12.raw" -> "debian-12").
std::string machine_name_from_path(std::string_view path);
// `stem` and 8 random hex digits: "app-3f9a01c2".
std::string random_machine_name(std::string_view stem);

}  // namespace croft
