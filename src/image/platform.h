// For which machines an image is: operating system, architecture and variant, in Go's words as image-spec has them
// (image-index.md, "platform").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace croft::image {

struct Platform {
    std::string os, architecture, variant, os_version;
    std::vector<std::string> os_features;

    std::string text() const;  // "linux/arm64/v8"
    bool operator==(const Platform&) const = default;
};

// "linux/arm64/v8", "linux/amd64", "arm64" (then linux); also uname's words ("x86_64").
Result<Platform> parse_platform(std::string_view text);
// The platform that this program was built for.
Platform host_platform();
// How well an image of platform `offered` serves who wants `wanted`: 0 not at all, more is better. A variant that is not
// told, or is the architecture's oldest, still runs; a newer one than wanted does not.
unsigned fitness(const Platform& wanted, const Platform& offered);

}  // namespace croft::image
