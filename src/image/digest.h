// A digest: "sha256:HEX", the name of bytes by what they are (image-spec, descriptor.md "Digests"). Pure; whoever computes
// one uses archive/hash.h.
//
// A Digest that exists is well formed: a registered algorithm and as many lower-case hexadecimal digits as that has.
// So it may become a part of a path or of a URL without another look.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace croft::image {

class Digest {
  public:
    // sha256 with 64 digits or sha512 with 128. The error cites the text and says what one looks like.
    static Result<Digest> parse(std::string_view text);

    const std::string& text() const { return text_; }                                      // "sha256:HEX"
    std::string_view algorithm() const { return std::string_view(text_).substr(0, 6); }    // "sha256", "sha512"
    std::string_view hex() const { return std::string_view(text_).substr(7); }
    std::string path() const;                                                              // "sha256/HEX"
    std::string brief() const { return text_.substr(7, 12); }                              // for people

    auto operator<=>(const Digest&) const = default;

  private:
    explicit Digest(std::string_view text) : text_(text) {}
    std::string text_;
};

}  // namespace croft::image
