#include "image/digest.h"

#include <algorithm>

#include "base/text.h"

namespace croft::image {

Result<Digest> Digest::parse(std::string_view text) {
    size_t digits = text.starts_with("sha256:") ? 64 : text.starts_with("sha512:") ? 128 : 0;
    auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (digits && text.size() == 7 + digits && std::ranges::all_of(text.substr(7), is_hex)) return Digest(text);
    return error(Errc::invalid, cat(quoted(text.substr(0, 160)),
                                    " is no digest (sha256: and 64 hexadecimal digits, or sha512: and 128)"));
}

std::string Digest::path() const {
    return cat(algorithm(), "/", hex());
}

}  // namespace croft::image
