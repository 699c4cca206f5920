// RFC 4648, section 4: as "auth" in auth files, "data" in descriptors and signatures have it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace croft::registry {

std::string to_base64(std::string_view bytes);
// Blanks and line ends are skipped; nothing when there is anything else that is no base64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace croft::registry
