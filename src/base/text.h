// Text helpers that need neither iostreams nor locales: building, splitting, numbers, sizes, times.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace croft {

namespace detail {
inline void append(std::string& out, std::string_view piece) { out += piece; }
inline void append(std::string& out, char piece) { out += piece; }
template <std::integral T>
    requires(!std::same_as<T, char> && !std::same_as<T, bool>)
void append(std::string& out, T value) {
    char digits[24];
    auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, static_cast<size_t>(end - digits));
}
}  // namespace detail

// Concatenates strings, characters and whole numbers: cat("pid ", 12).
template <class... Pieces>
std::string cat(const Pieces&... pieces) {
    std::string out;
    (detail::append(out, pieces), ...);
    return out;
}

std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string lower(std::string_view text);
// 'text' in single quotes with control characters shown as \xNN: for error messages that cite input.
std::string quoted(std::string_view text);

// Whole numbers in base 10 (or `base`), the whole text, within the type's range.
std::optional<int64_t> parse_int(std::string_view text, int base = 10);
std::optional<uint64_t> parse_uint(std::string_view text, int base = 10);
// yes/no, true/false, on/off, y/n, t/f, 1/0 in any case, as systemd.syntax(7) has them.
std::optional<bool> parse_bool(std::string_view text);
// Bytes with an optional suffix of base 1024 (B K M G T P E, "infinity" is UINT64_MAX), as systemd.syntax(7).
std::optional<uint64_t> parse_size(std::string_view text);
// Seconds, or units as in systemd.time(7) (us ms s min h d w, concatenated "1min 30s"), in microseconds;
// "infinity" is UINT64_MAX.
std::optional<uint64_t> parse_duration(std::string_view text);
// "1.5" with at most six decimals, in millionths.
std::optional<uint64_t> parse_decimal(std::string_view text);
// "12.5%" with at most two decimals, in hundredths of a percent as systemd counts them.
std::optional<uint64_t> parse_percent(std::string_view text);
// "12.5M": for people.
std::string human_size(uint64_t bytes);
std::string human_duration(uint64_t microseconds);
// The closest of `candidates` to `word` (at most 2 edits, 1 for a word of up to 3 letters), for "did you mean": empty when none is close.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);
std::string hex(std::string_view bytes);

}  // namespace croft
