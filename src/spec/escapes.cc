#include "spec/values.h"

namespace croft::spec {

namespace {
using std::string_view;
constexpr string_view letters = "abfnrtvs\\\"'";
constexpr string_view meanings = "\a\b\f\n\r\t\v \\\"'";

// "\x41", "\101": `digits` of `base` behind the escape letter.
std::optional<char> numbered(string_view text, size_t digits, int base) {
    if (text.size() < digits) return {};
    auto value = parse_uint(text.substr(0, digits), base);
    if (!value || *value > 255) return {};
    return static_cast<char>(*value);
}
}  // namespace

Result<std::string> unescape_c(string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out += text[i];
            continue;
        }
        string_view rest = text.substr(i + 1);
        size_t letter = rest.empty() ? rest.npos : letters.find(rest[0]);
        if (letter != letters.npos) {
            out += meanings[letter];
            i += 1;
        } else if (auto hexed = rest.starts_with('x') ? numbered(rest.substr(1), 2, 16) : std::nullopt) {
            out += *hexed;
            i += 3;
        } else if (auto octal = numbered(rest, 3, 8)) {
            out += *octal;
            i += 3;
        } else {
            return wrong_value(text.substr(i, 2), "is no escape (\\n, \\t, \\x41, \\101, \\\\, …)");
        }
    }
    return out;
}

std::string escape_c(string_view bytes) {
    std::string out;
    for (char c : bytes) {
        auto byte = static_cast<unsigned char>(c);
        size_t meaning = c == ' ' || c == '\'' || c == '"' ? meanings.npos : meanings.find(c);
        if (meaning != meanings.npos)
            out += cat('\\', letters[meaning]);
        else if (byte < 0x20 || byte == 0x7f)
            out += cat("\\x", hex(string_view(&c, 1)));
        else
            out += c;
    }
    return out;
}

}  // namespace croft::spec
