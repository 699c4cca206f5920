#include "registry/url.h"

#include <utility>

#include "base/text.h"

namespace croft::registry {

std::string url_escaped(std::string_view text) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (char c : text) {
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     std::string_view("-._~").find(c) != std::string_view::npos;
        auto byte = static_cast<unsigned char>(c);
        out += plain ? std::string(1, c) : cat("%", digits[byte >> 4], digits[byte & 15]);
    }
    return out;
}

std::string resolved_url(std::string_view base, std::string_view location) {
    if (location.starts_with("http://") || location.starts_with("https://")) return std::string(location);
    size_t scheme = base.find("://");
    if (scheme == base.npos) return std::string(location);
    if (location.starts_with("//")) return cat(base.substr(0, scheme + 1), location);
    size_t root = base.find_first_of("/?#", scheme + 3);
    if (location.starts_with("/")) return cat(base.substr(0, root), location);
    std::string_view page = base.substr(0, base.find_first_of("?#"));
    return cat(page.substr(0, page.rfind('/') + 1), location);
}

std::string url_origin(std::string_view url) {
    size_t scheme = url.find("://");
    if (scheme == url.npos) return "";
    std::string out = lower(url.substr(0, url.find_first_of("/?#", scheme + 3)));
    for (auto [name, port] : {std::pair{"https:", ":443"}, std::pair{"http:", ":80"}})
        if (out.starts_with(name) && out.ends_with(port)) out.resize(out.size() - std::string_view(port).size());
    return out;
}

}  // namespace croft::registry
