#include "format/json_document.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "format/json_writer.h"

namespace croft::format {

namespace {
using std::string_view;

// What can stand inside a string without a second look.
constexpr std::array<bool, 256> plain = [] {
    std::array<bool, 256> table{};
    for (unsigned c = 0x20; c < 0x80; ++c) table[c] = c != '"' && c != '\\';
    return table;
}();

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The length of the UTF-8 sequence that starts here; 0: none that is allowed (RFC 3629).
size_t utf8_length(const unsigned char* at, size_t left) {
    auto follows = [&](size_t i, unsigned char low = 0x80, unsigned char high = 0xbf) {
        return i < left && at[i] >= low && at[i] <= high;
    };
    unsigned char c = at[0];
    if (c >= 0xc2 && c <= 0xdf) return follows(1) ? 2 : 0;
    if (c == 0xe0) return follows(1, 0xa0) && follows(2) ? 3 : 0;
    if (c == 0xed) return follows(1, 0x80, 0x9f) && follows(2) ? 3 : 0;
    if (c >= 0xe1 && c <= 0xef) return follows(1) && follows(2) ? 3 : 0;
    if (c == 0xf0) return follows(1, 0x90) && follows(2) && follows(3) ? 4 : 0;
    if (c >= 0xf1 && c <= 0xf3) return follows(1) && follows(2) && follows(3) ? 4 : 0;
    if (c == 0xf4) return follows(1, 0x80, 0x8f) && follows(2) && follows(3) ? 4 : 0;
    return 0;
}

char* put_utf8(char* out, uint32_t code) {
    auto put = [&](uint32_t byte) { *out++ = static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0 | code >> 6), put(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        put(0xe0 | code >> 12), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
    } else {
        put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 0x3f));
        put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
    }
    return out;
}
}  // namespace

class JsonParser {
  public:
    explicit JsonParser(string_view text) : start_(text.data()), at_(start_), end_(start_ + text.size()) {}

    // Null, or what is wrong at at_.
    const char* parse(JsonDocument& out) {
        out_ = &out;
        out.nodes_.reserve(static_cast<size_t>(end_ - start_) / 8 + 8);
        if (end_ - start_ >= 3 && string_view(start_, 3) == "\xef\xbb\xbf") at_ += 3;
        string_view key;
        for (;;) {
            if (const char* wrong = value(key)) return wrong;
            key = {};
            // Behind a value: close what is full, or go on to the next one of the innermost container.
            for (bool more = false; !more;) {
                skip_space();
                if (!depth_) return at_ == end_ ? nullptr : "text behind the end";
                if (at_ == end_) return "the text ends too early";
                JsonDocument::Node& open = out.nodes_[open_[depth_ - 1]];
                bool object = open.kind == JsonKind::object;
                bool first = out.nodes_.size() == open_[depth_ - 1] + 1u;
                if (*at_ == (object ? '}' : ']')) {
                    ++at_, --depth_;
                    open.end = static_cast<uint32_t>(out.nodes_.size());
                    continue;
                }
                if (!first) {
                    if (*at_ != ',') return object ? "',' or '}' is missing" : "',' or ']' is missing";
                    ++at_;
                    skip_space();
                }
                if (object)
                    if (const char* wrong = member_name(key)) return wrong;
                more = true;
            }
        }
    }

    string_view seen() const { return {start_, static_cast<size_t>(at_ - start_)}; }

  private:
    void skip_space() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
    }

    void add(JsonKind kind, string_view key, const char* text, const char* text_end) {
        auto index = static_cast<uint32_t>(out_->nodes_.size());
        out_->nodes_.push_back({key.data(), text, static_cast<uint32_t>(key.size()),
                                static_cast<uint32_t>(text_end - text), index + 1, kind});
    }

    const char* member_name(string_view& key) {
        if (at_ == end_ || *at_ != '"') return "a name in quotes is missing";
        if (const char* wrong = string(key)) return wrong;
        skip_space();
        if (at_ == end_ || *at_ != ':') return "':' is missing";
        ++at_;
        return nullptr;
    }

    const char* value(string_view key) {
        skip_space();
        if (at_ == end_) return "a value is missing";
        switch (*at_) {
            case '{':
            case '[': {
                if (depth_ == JsonDocument::deepest) return "nested too deeply";
                open_[depth_++] = static_cast<uint32_t>(out_->nodes_.size());
                add(*at_ == '{' ? JsonKind::object : JsonKind::array, key, at_, at_);
                ++at_;
                return nullptr;
            }
            case '"': {
                string_view text;
                if (const char* wrong = string(text)) return wrong;
                add(JsonKind::string, key, text.data(), text.data() + text.size());
                return nullptr;
            }
            case 't':
                return word("true", JsonKind::boolean, key);
            case 'f':
                return word("false", JsonKind::boolean, key);
            case 'n':
                return word("null", JsonKind::null, key);
            default:
                return number(key);
        }
    }

    const char* word(string_view name, JsonKind kind, string_view key) {
        if (!string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(name)) return "no JSON value";
        add(kind, key, at_, at_ + name.size());
        at_ += name.size();
        return nullptr;
    }

    const char* number(string_view key) {
        const char* first = at_;
        if (*at_ == '-') ++at_;
        const char* digits = at_;
        while (at_ != end_ && is_digit(*at_)) ++at_;
        if (at_ == digits) return "no JSON value";
        if (*digits == '0' && at_ - digits > 1) return "a number that starts with 0";
        if (at_ != end_ && *at_ == '.') {
            const char* fraction = ++at_;
            while (at_ != end_ && is_digit(*at_)) ++at_;
            if (at_ == fraction) return "a number without digits behind its point";
        }
        if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
            ++at_;
            if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
            const char* exponent = at_;
            while (at_ != end_ && is_digit(*at_)) ++at_;
            if (at_ == exponent) return "a number without digits in its exponent";
        }
        add(JsonKind::number, key, first, at_);
        return nullptr;
    }

    // From one quote to the other.
    const char* string(string_view& out) {
        const char* first = ++at_;
        for (;;) {
            while (at_ != end_ && plain[static_cast<unsigned char>(*at_)]) ++at_;
            if (at_ == end_) return "a string without an end";
            if (*at_ == '"') {
                out = {first, static_cast<size_t>(at_ - first)};
                ++at_;
                return nullptr;
            }
            if (*at_ == '\\') return escaped_string(first, out);
            if (const char* wrong = wide()) return wrong;
        }
    }

    const char* wide() {
        size_t length =
            utf8_length(reinterpret_cast<const unsigned char*>(at_), static_cast<size_t>(end_ - at_));
        if (!length) return "a byte that is no UTF-8 or a control character";
        at_ += length;
        return nullptr;
    }

    // What is decoded is never longer than what is written, so one block of the text's size holds all of it.
    const char* escaped_string(const char* first, string_view& out) {
        if (!free_) {
            out_->decoded_.reset(new char[static_cast<size_t>(end_ - start_)]);
            free_ = out_->decoded_.get();
        }
        char* begin = free_;
        free_ = std::copy(first, at_, free_);
        for (;;) {
            const char* from = at_;
            while (at_ != end_ && plain[static_cast<unsigned char>(*at_)]) ++at_;
            free_ = std::copy(from, at_, free_);
            if (at_ == end_) return "a string without an end";
            if (*at_ == '"') break;
            from = at_;
            if (*at_ == '\\') {
                if (const char* wrong = escape()) return wrong;
            } else {
                if (const char* wrong = wide()) return wrong;
                free_ = std::copy(from, at_, free_);
            }
        }
        ++at_;
        out = {begin, static_cast<size_t>(free_ - begin)};
        return nullptr;
    }

    const char* escape() {
        constexpr string_view letters = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
        if (++at_ == end_) return "a string without an end";
        if (size_t found = letters.find(*at_); found != letters.npos) {
            *free_++ = meant[found];
            ++at_;
            return nullptr;
        }
        if (*at_ != 'u') return "an escape that JSON does not have";
        uint32_t code = 0, low = 0;
        if (!hex4(code)) return "\\u without four hex digits";
        if (code >= 0xdc00 && code <= 0xdfff) return "half a surrogate pair";
        if (code >= 0xd800 && code <= 0xdbff) {
            if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') return "half a surrogate pair";
            ++at_;
            if (!hex4(low) || low < 0xdc00 || low > 0xdfff) return "half a surrogate pair";
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        free_ = put_utf8(free_, code);
        return nullptr;
    }

    // at_ is on the 'u', and then behind the digits.
    bool hex4(uint32_t& code) {
        if (end_ - at_ < 5) return false;
        auto [stop, wrong] = std::from_chars(at_ + 1, at_ + 5, code, 16);
        if (wrong != std::errc{} || stop != at_ + 5) return false;
        at_ += 5;
        return true;
    }

    const char *start_, *at_, *end_;
    JsonDocument* out_ = nullptr;
    char* free_ = nullptr;
    uint32_t open_[JsonDocument::deepest];
    size_t depth_ = 0;
};

Result<JsonDocument> JsonDocument::parse(string_view text) {
    if (text.size() >= UINT32_MAX) return error(Errc::invalid, "is larger than 4 GiB");
    JsonDocument out;
    JsonParser parser(text);
    const char* wrong = parser.parse(out);
    if (!wrong) return out;
    string_view seen = parser.seen();
    size_t line_start = seen.rfind('\n') + 1;  // 0 when there is none
    return error(Errc::invalid, cat("line ", std::ranges::count(seen, '\n') + 1, ", column ",
                                    seen.size() - line_start + 1, ": ", wrong));
}

string_view JsonValue::kind_name() const {
    constexpr string_view names[] = {"null", "boolean", "number", "string", "array", "object"};
    return names[static_cast<size_t>(kind())];
}

std::optional<JsonValue> JsonValue::member(string_view name) const {
    std::optional<JsonValue> found;
    if (kind() != JsonKind::object) return found;
    for (JsonValue value : *this)
        if (value.key() == name) found = value;
    return found;
}

std::string JsonValue::path() const {
    auto is_name = [](string_view name) {
        return !name.empty() && std::ranges::all_of(name, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '-';
        });
    };
    std::string out = "$";
    for (JsonValue at = document_->root(); at.index_ != index_;) {
        size_t number = 0;
        bool object = at.kind() == JsonKind::object;
        for (JsonValue inner : at) {
            if (index_ >= document_->nodes_[inner.index_].end) {
                ++number;
                continue;
            }
            if (!object)
                out += cat("[", number, "]");
            else
                out += is_name(inner.key()) ? cat(".", inner.key()) : cat("[", json_quoted(inner.key()), "]");
            at = inner;
            break;
        }
    }
    return out;
}

}  // namespace croft::format
