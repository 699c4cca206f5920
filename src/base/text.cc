#include "base/text.h"

#include <algorithm>

namespace croft {

std::string_view trim(std::string_view text) {
    constexpr std::string_view space = " \t\r\n\f\v";
    size_t first = text.find_first_not_of(space);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (;;) {
        size_t at = text.find(separator);
        parts.emplace_back(text.substr(0, at));
        if (at == text.npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string out;
    for (size_t i = 0; i < parts.size(); ++i) {
        if (i) out += separator;
        out += parts[i];
    }
    return out;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string quoted(std::string_view text) {
    std::string out = "'";
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f)
            out += cat("\\x", hex(std::string_view(&c, 1)));
        else
            out += c;
    }
    return out + "'";
}

namespace {
template <class T>
std::optional<T> parse_number(std::string_view text, int base) {
    T value{};
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (ec != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
    return value;
}

// "12.5" scaled by `unit`, without floating point: digits, optional fraction.
std::optional<uint64_t> parse_scaled(std::string_view digits, uint64_t unit) {
    size_t dot = digits.find('.');
    auto whole = parse_uint(digits.substr(0, dot));
    uint64_t out = 0;
    if (!whole || __builtin_mul_overflow(*whole, unit, &out)) return {};
    if (dot == digits.npos) return out;
    uint64_t scale = unit, rest = 0;
    for (char c : digits.substr(dot + 1)) {
        if (c < '0' || c > '9') return {};
        rest += scale * static_cast<uint64_t>(c - '0') / 10;
        scale /= 10;
    }
    if (digits.size() == dot + 1 || __builtin_add_overflow(out, rest, &out)) return {};
    return out;
}
}  // namespace

std::optional<int64_t> parse_int(std::string_view text, int base) {
    return parse_number<int64_t>(text, base);
}
std::optional<uint64_t> parse_uint(std::string_view text, int base) {
    return parse_number<uint64_t>(text, base);
}

std::optional<bool> parse_bool(std::string_view text) {
    std::string t = lower(text);
    for (auto yes : {"1", "yes", "y", "true", "t", "on"})
        if (t == yes) return true;
    for (auto no : {"0", "no", "n", "false", "f", "off"})
        if (t == no) return false;
    return {};
}

std::optional<uint64_t> parse_size(std::string_view text) {
    text = trim(text);
    if (text == "infinity") return UINT64_MAX;
    constexpr std::string_view suffixes = "BKMGTPE";
    uint64_t unit = 1;
    if (!text.empty()) {
        size_t at = suffixes.find(text.back() >= 'a' ? static_cast<char>(text.back() - 32) : text.back());
        if (at != suffixes.npos) {
            unit = uint64_t{1} << (10 * at);
            text = trim(text.substr(0, text.size() - 1));
        }
    }
    return parse_scaled(text, unit);
}

std::optional<uint64_t> parse_decimal(std::string_view text) {
    size_t dot = text.find('.');
    auto whole = parse_uint(text.substr(0, dot));
    std::string digits(dot == text.npos ? std::string_view("0") : text.substr(dot + 1));
    if (!whole || *whole > 1000000 || digits.empty() || digits.size() > 6) return {};
    digits.resize(6, '0');
    auto rest = parse_uint(digits);
    if (!rest) return {};
    return *whole * 1000000 + *rest;
}

std::optional<uint64_t> parse_percent(std::string_view text) {
    if (!text.ends_with('%')) return {};
    auto value = parse_decimal(text.substr(0, text.size() - 1));
    if (!value || *value % 10000) return {};
    return *value / 10000;
}

std::optional<uint64_t> parse_duration(std::string_view text) {
    static constexpr struct {
        std::string_view name;
        uint64_t us;
    } units[] = {{"usec", 1},
                 {"us", 1},
                 {"msec", 1000},
                 {"ms", 1000},
                 {"seconds", 1000000},
                 {"second", 1000000},
                 {"sec", 1000000},
                 {"s", 1000000},
                 {"minutes", 60000000},
                 {"minute", 60000000},
                 {"min", 60000000},
                 {"m", 60000000},
                 {"hours", 3600000000},
                 {"hour", 3600000000},
                 {"hr", 3600000000},
                 {"h", 3600000000},
                 {"days", 86400000000},
                 {"day", 86400000000},
                 {"d", 86400000000},
                 {"weeks", 604800000000},
                 {"week", 604800000000},
                 {"w", 604800000000}};
    text = trim(text);
    if (text == "infinity") return UINT64_MAX;
    if (text.empty()) return {};
    uint64_t total = 0;
    while (!text.empty()) {
        size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
        std::string_view number = text.substr(0, digits);
        text = trim(text.substr(digits));
        size_t letters = std::min(text.find_first_of(" 0123456789."), text.size());
        std::string unit = lower(text.substr(0, letters));
        text = trim(text.substr(letters));
        uint64_t scale = unit.empty() ? 1000000 : 0;
        for (const auto& u : units)
            if (u.name == unit) scale = u.us;
        auto part = scale ? parse_scaled(number, scale) : std::nullopt;
        if (!part || __builtin_add_overflow(total, *part, &total)) return {};
    }
    return total;
}

std::string human_size(uint64_t bytes) {
    if (bytes == UINT64_MAX) return "infinity";
    constexpr std::string_view suffixes = "BKMGTPE";
    size_t power = 0;
    uint64_t tenths = bytes * 10;
    if (bytes > UINT64_MAX / 10) return cat(bytes >> 60, "E");
    while (tenths >= 10240 && power + 1 < suffixes.size()) {
        tenths /= 1024;
        ++power;
    }
    if (power == 0) return cat(bytes, "B");
    return cat(tenths / 10, ".", tenths % 10, suffixes[power]);
}

std::string human_duration(uint64_t us) {
    if (us == UINT64_MAX) return "infinity";
    uint64_t s = us / 1000000;
    if (s == 0) return cat(us / 1000, "ms");
    if (s < 60) return cat(s, "s");
    if (s < 3600) return cat(s / 60, "min ", s % 60, "s");
    if (s < 86400) return cat(s / 3600, "h ", s % 3600 / 60, "min");
    return cat(s / 86400, "d ", s % 86400 / 3600, "h");
}

namespace {
// Edits from one word to the other, where two letters that changed places are one edit ("TREM" for "TERM").
size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<size_t> before(to.size() + 1), last(to.size() + 1), row(to.size() + 1);
    for (size_t j = 0; j <= to.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= from.size(); ++i) {
        std::swap(before, last);
        std::swap(last, row);
        row[0] = i;
        for (size_t j = 1; j <= to.size(); ++j) {
            size_t substituted = last[j - 1] + (from[i - 1] != to[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, substituted});
            bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[to.size()];
}
}  // namespace

std::string closest(std::string_view word, const std::vector<std::string>& candidates) {
    // Two edits make any short word of any other.
    size_t best = word.size() <= 3 ? 2 : 3;
    std::string found;
    for (const std::string& candidate : candidates) {
        // Input may be of any length; no edit bridges more letters than it makes.
        if (candidate.size() > word.size() + 2 || word.size() > candidate.size() + 2) continue;
        size_t distance = edit_distance(word, candidate);
        if (distance >= best) continue;
        best = distance;
        found = candidate;
    }
    return found;
}

std::string hex(std::string_view bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (char c : bytes) {
        auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

}  // namespace croft
