#include "spec/values.h"

#include <algorithm>
#include <bitset>

namespace croft::spec {

namespace {
using std::string_view;

bool control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
}  // namespace

Error wrong_value(string_view value, string_view why) {
    return error(Errc::invalid, cat(quoted(value), " ", why));
}

Error wrong_choice(string_view text, const std::vector<std::string>& words) {
    return wrong_value(text, cat("is none of ", join(words, ", "), did_you_mean(text, words)));
}

Result<bool> parse_bool_value(string_view text) {
    if (auto value = parse_bool(text)) return *value;
    return wrong_value(text, "is neither yes nor no");
}

Result<uint64_t> parse_size_value(string_view text) {
    if (auto value = parse_size(text)) return *value;
    return wrong_value(text, "is no size (512M, 2G, infinity, …)");
}

Result<uint64_t> parse_duration_value(string_view text) {
    if (auto value = parse_duration(text)) return *value;
    return wrong_value(text, "is no duration (90, 90s, 1min 30s, infinity, …)");
}

Result<int64_t> parse_range(string_view text, int64_t low, int64_t high, string_view what) {
    auto value = parse_int(text);
    if (value && *value >= low && *value <= high) return *value;
    return wrong_value(text, cat("is no ", what, " (a whole number from ", low, " to ", high, ")"));
}

Result<std::string> parse_text(string_view text) {
    if (std::ranges::any_of(text, control)) return wrong_value(text, "holds a control character");
    return std::string(text);
}

Result<std::string> parse_host_path(string_view text) {
    if (!text.starts_with('/')) return wrong_value(text, "is no absolute path (one that starts with '/')");
    if (std::ranges::any_of(text, control))
        return wrong_value(text, "is no path: it holds a control character");
    if (text.size() >= 4096)
        return error(Errc::invalid, "a path of 4096 characters or more is too long for the kernel");
    std::string out;
    for (const std::string& part : split(text, '/'))
        if (!part.empty() && part != ".") out += cat("/", part);
    return out.empty() ? "/" : out;
}

Result<std::string> parse_inside_path(string_view text) {
    for (const std::string& part : split(text, '/'))
        if (part == "..") return wrong_value(text, "holds '..', which a path inside the machine may not");
    return parse_host_path(text);
}

std::vector<std::string> split_list(string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        size_t end = std::min(text.find_first_of(", \t"), text.size());
        if (end > 0) out.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

namespace {
constexpr uint64_t list_limit = 8192;
using Numbers = std::bitset<list_limit>;

// False: no list.
bool read_numbers(string_view text, Numbers& numbers) {
    for (const std::string& range : split_list(text)) {
        size_t dash = range.find('-');
        auto first = parse_uint(string_view(range).substr(0, dash));
        auto last = dash == range.npos ? first : parse_uint(string_view(range).substr(dash + 1));
        if (!first || !last || *first > *last || *last >= list_limit) return false;
        for (uint64_t number = *first; number <= *last; ++number) numbers.set(number);
    }
    return numbers.any();
}

std::string number_list(const Numbers& numbers) {
    std::string out;
    for (uint64_t first = 0; first < list_limit; ++first) {
        if (!numbers[first]) continue;
        uint64_t last = first;
        while (last + 1 < list_limit && numbers[last + 1]) ++last;
        out += cat(out.empty() ? "" : ",", first);
        if (last > first) out += cat("-", last);
        first = last;
    }
    return out;
}
}  // namespace

Result<std::string> parse_cpu_list(string_view text) {
    Numbers numbers;
    if (read_numbers(text, numbers)) return number_list(numbers);
    return wrong_value(text, "is no list of CPU numbers (0-3,6; at most 8191)");
}

Result<std::string> parse_node_list(string_view text) {
    Numbers numbers;
    if (read_numbers(text, numbers)) return number_list(numbers);
    return wrong_value(text, "is no list of NUMA nodes (0-1; at most 8191)");
}

bool valid_environment_name(string_view name) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    return std::ranges::all_of(name, [](char c) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
}

Result<std::pair<std::string, std::string>> parse_assignment(string_view text) {
    size_t equals = text.find('=');
    if (equals == text.npos) return wrong_value(text, "is no NAME=VALUE");
    string_view name = text.substr(0, equals);
    if (!valid_environment_name(name))
        return wrong_value(name, "is no name of an environment variable (letters, digits and '_')");
    if (text.find('\0') != text.npos)
        return wrong_value(name, "has a value with a zero byte, which none can hold");
    return std::pair(std::string(name), std::string(text.substr(equals + 1)));
}

std::vector<std::string> split_escaped(string_view text, char separator) {
    std::vector<std::string> parts(1);
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size())
            parts.back() += text[++i];
        else if (text[i] == separator)
            parts.emplace_back();
        else
            parts.back() += text[i];
    }
    return parts;
}

std::string escape_colons(string_view text) {
    std::string out;
    for (char c : text) {
        if (c == ':' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

std::string size_text(uint64_t bytes) {
    if (bytes == UINT64_MAX) return "infinity";
    constexpr string_view suffixes = "KMGTPE";
    size_t power = 0;
    while (bytes && bytes % 1024 == 0 && power < suffixes.size()) {
        bytes /= 1024;
        ++power;
    }
    return power ? cat(bytes, suffixes[power - 1]) : cat(bytes);
}

std::string duration_text(uint64_t us) {
    if (us == UINT64_MAX) return "infinity";
    static constexpr struct {
        const char* name;
        uint64_t us;
    } units[] = {{"d", 86400000000}, {"h", 3600000000}, {"min", 60000000},
                 {"s", 1000000},     {"ms", 1000},      {"us", 1}};
    std::string out;
    for (const auto& unit : units) {
        if (us < unit.us) continue;
        out += cat(out.empty() ? "" : " ", us / unit.us, unit.name);
        us %= unit.us;
    }
    return out.empty() ? "0s" : out;
}

std::string decimal_text(uint64_t millionths) {
    std::string out = cat(millionths / 1000000);
    std::string rest = cat(millionths % 1000000 + 1000000).substr(1);
    rest.erase(rest.find_last_not_of('0') + 1);
    return rest.empty() ? out : cat(out, ".", rest);
}

}  // namespace croft::spec
