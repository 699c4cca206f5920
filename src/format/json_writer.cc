#include "format/json_writer.h"

namespace croft::format {

namespace {

// Length of the valid UTF-8 sequence at the front of `text` (RFC 3629: no overlong forms, no surrogates, at
// most U+10FFFF), or 0. `text` is not empty.
size_t utf8_length(std::string_view text) {
    auto byte = [&](size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
    auto next = [&](size_t i, unsigned char low = 0x80, unsigned char high = 0xbf) {
        return byte(i) >= low && byte(i) <= high;
    };
    unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return next(1) ? 2 : 0;
    if (lead == 0xe0) return next(1, 0xa0) && next(2) ? 3 : 0;
    if (lead == 0xed) return next(1, 0x80, 0x9f) && next(2) ? 3 : 0;
    if (lead >= 0xe1 && lead <= 0xef) return next(1) && next(2) ? 3 : 0;
    if (lead == 0xf0) return next(1, 0x90) && next(2) && next(3) ? 4 : 0;
    if (lead == 0xf4) return next(1, 0x80, 0x8f) && next(2) && next(3) ? 4 : 0;
    if (lead >= 0xf1 && lead <= 0xf3) return next(1) && next(2) && next(3) ? 4 : 0;
    return 0;
}

void append_escaped(std::string& out, char c) {
    static constexpr char digits[] = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        default:
            break;
    }
    auto code = static_cast<unsigned char>(c);
    if (code >= 0x20 && code != 0x7f) {
        out += c;
        return;
    }
    // DEL needs no escape by the standard, but would reach a terminal raw.
    out += "\\u00";
    out += digits[code >> 4];
    out += digits[code & 15];
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        size_t length = utf8_length(text);
        if (length == 0)
            out += "\\ufffd";
        else if (length == 1)
            append_escaped(out, text.front());
        else
            out += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    out += '"';
}

}  // namespace

std::string json_quoted(std::string_view text) {
    std::string out;
    append_quoted(out, text);
    return out;
}

void JsonWriter::new_line() {
    if (style_ != JsonStyle::pretty) return;
    out_ += '\n';
    out_.append(size_t{depth_} * indent_, ' ');
}

void JsonWriter::before_value() {
    if (after_key_) {
        after_key_ = false;
        return;
    }
    if (depth_ == 0) return;
    if (!first_) out_ += style_ == JsonStyle::line ? ", " : ",";
    first_ = false;
    new_line();
}

void JsonWriter::finish_document() {
    if (depth_ == 0 && style_ == JsonStyle::pretty) out_ += '\n';
}

JsonWriter& JsonWriter::open(char bracket) {
    before_value();
    out_ += bracket;
    ++depth_;
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
    --depth_;
    if (!first_) new_line();
    out_ += bracket;
    first_ = false;
    finish_document();
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    before_value();
    append_quoted(out_, name);
    out_ += style_ == JsonStyle::compact ? ":" : ": ";
    after_key_ = true;
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    before_value();
    append_quoted(out_, text);
    finish_document();
    return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
    before_value();
    out_ += json;
    finish_document();
    return *this;
}

}  // namespace croft::format
