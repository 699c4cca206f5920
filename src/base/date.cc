#include "base/date.h"

#include <ctime>

#include "base/text.h"

namespace croft {

std::optional<uint64_t> parse_rfc3339(std::string_view text) {
    // Zone and fraction are told behind the seconds.
    constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
    if (text.size() <= form.size()) return std::nullopt;
    for (size_t i = 0; i < form.size(); ++i)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : (text[i] & ~0x20) != (form[i] & ~0x20)) return std::nullopt;
    auto number = [&](size_t at, size_t digits) { return static_cast<int>(*parse_uint(text.substr(at, digits))); };
    tm parts = {};
    parts.tm_year = number(0, 4) - 1900, parts.tm_mon = number(5, 2) - 1, parts.tm_mday = number(8, 2);
    parts.tm_hour = number(11, 2), parts.tm_min = number(14, 2), parts.tm_sec = number(17, 2);
    int64_t seconds = timegm(&parts), micro = 0, unit = 100'000;
    text.remove_prefix(form.size());
    if (text[0] == '.')
        for (text.remove_prefix(1); !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), unit /= 10)
            micro += (text[0] - '0') * unit;
    if (text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':') {
        auto hours = parse_uint(text.substr(1, 2)), minutes = parse_uint(text.substr(4, 2));
        if (!hours || !minutes) return std::nullopt;
        auto offset = static_cast<int64_t>(*hours * 3600 + *minutes * 60);
        seconds -= text[0] == '+' ? offset : -offset;
    } else if (text != "Z" && text != "z") {
        return std::nullopt;
    }
    if (seconds < 0) return std::nullopt;
    return static_cast<uint64_t>(seconds) * 1'000'000 + static_cast<uint64_t>(micro);
}

}  // namespace croft
