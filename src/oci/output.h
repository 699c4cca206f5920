// Standard output of the verbs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "oci/arguments.h"

namespace croft::oci {

Result<> print(std::string_view text);
// Columns as wide as their widest cell.
std::string table(const std::vector<std::vector<std::string>>& rows);
// --format: "table" or "json".
Result<std::string> format_of(const Call& call);

}  // namespace croft::oci
