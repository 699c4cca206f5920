#include "image/platform.h"

#include <algorithm>

#include "base/text.h"

namespace croft::image {

namespace {
struct Words {
    const char* theirs;
    const char* ours;
};
// What uname(2) and Debian call an architecture, and what Go does.
constexpr Words architectures[] = {{"x86_64", "amd64"}, {"aarch64", "arm64"}, {"i386", "386"},       {"i686", "386"},
                                   {"armhf", "arm"},    {"armv7l", "arm"},    {"ppc64el", "ppc64le"}, {"loongarch64", "loong64"}};

std::string architecture_word(std::string_view word) {
    for (const Words& one : architectures)
        if (word == one.theirs) return one.ours;
    return std::string(word);
}

// "v8" is 8; what is not told is the architecture's usual one.
unsigned variant_number(std::string_view architecture, std::string_view variant) {
    unsigned usual = architecture == "arm64" ? 8 : architecture == "arm" ? 7 : 1;
    if (variant.starts_with('v')) variant.remove_prefix(1);
    auto number = parse_uint(variant);
    return number && *number < 100 ? static_cast<unsigned>(*number) : usual;
}

bool is_word(std::string_view text) {
    auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'; };
    return !text.empty() && std::ranges::all_of(text, good);
}
}  // namespace

std::string Platform::text() const {
    return cat(os, "/", architecture, variant.empty() ? "" : "/", variant);
}

Result<Platform> parse_platform(std::string_view text) {
    std::vector<std::string> parts = split(text, '/');
    if (parts.size() == 1) parts.insert(parts.begin(), "linux");
    if (parts.size() > 3 || !std::ranges::all_of(parts, is_word))
        return error(Errc::invalid, cat(quoted(text), " is no platform (linux/amd64, linux/arm64/v8)"));
    return Platform{.os = parts[0], .architecture = architecture_word(parts[1]), .variant = parts.size() > 2 ? parts[2] : ""};
}

Platform host_platform() {
    Platform out{.os = "linux"};
#if defined(__x86_64__)
    out.architecture = "amd64";
#elif defined(__aarch64__)
    out.architecture = "arm64", out.variant = "v8";
#elif defined(__arm__)
    out.architecture = "arm", out.variant = "v7";
#elif defined(__i386__)
    out.architecture = "386";
#elif defined(__riscv)
    out.architecture = "riscv64";
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    out.architecture = "ppc64le";
#elif defined(__s390x__)
    out.architecture = "s390x";
#elif defined(__loongarch64)
    out.architecture = "loong64";
#elif defined(__mips64)
    out.architecture = "mips64le";
#else
#error "which architecture is this, in Go's words?"
#endif
    return out;
}

unsigned fitness(const Platform& wanted, const Platform& offered) {
    if (wanted.os != offered.os || architecture_word(offered.architecture) != wanted.architecture) return 0;
    unsigned want = variant_number(wanted.architecture, wanted.variant);
    unsigned have = variant_number(wanted.architecture, offered.variant);
    return have > want ? 0 : 1 + have;
}

}  // namespace croft::image
