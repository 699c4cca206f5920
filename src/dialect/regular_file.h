// Reading files that people name or that are looked for: the whole file, which must be a regular one (a FIFO
// would wait for ever) and of a sane size. For dialect/, and
// for manager/, which reads the same files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace croft::dialect {

inline constexpr size_t largest_file = 1 << 20;

Result<std::string> read_regular(const std::string& path, size_t limit = largest_file);
// Nothing when there is no such file; "" when it is a link to /dev/null.
Result<std::optional<std::string>> read_if_there(const std::string& path);
Result<bool> is_masked(const std::string& path);
// Names in a directory, without order; none when it is not there.
Result<std::vector<std::string>> list_directory(const std::string& path);

}  // namespace croft::dialect
