// Moments that others have written down.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace croft {

// "2024-05-01T12:00:00.25Z", or with an offset as "+02:00" (RFC 3339), in microseconds since the epoch. Nothing for another
// text, and for what is before the epoch.
std::optional<uint64_t> parse_rfc3339(std::string_view text);

}  // namespace croft
