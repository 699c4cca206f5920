// Addresses, as far as registries need them taken apart (RFC 3986).
#pragma once

#include <string>
#include <string_view>

namespace croft::registry {

// For a query: everything but letters, digits and -._~ as %XX.
std::string url_escaped(std::string_view text);
// `location` as a link on the page `base`: whole URLs, and paths from the root.
std::string resolved_url(std::string_view base, std::string_view location);
// "https://host:5000": who answers there (RFC 6454), without a port that is the scheme's own; "" when it is no address.
std::string url_origin(std::string_view url);

}  // namespace croft::registry
