// JsonWriter: writes JSON as it goes, into one string. For every --json output, records and plans; anyone may
// use it.
//
// It keeps the commas, the quotes and the indent right; the caller keeps begin and end in pairs and gives a
// key before each value of an object. Text that is no valid UTF-8 comes out as U+FFFD for each wrong byte,
// because JSON has no way to hold it and a reader must never choke on a file name. No number is ever written
// as a float.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace croft::format {

// compact has no blanks at all, line has them behind commas and colons, pretty has a line for each value.
enum class JsonStyle : uint8_t { compact, line, pretty };

class JsonWriter {
  public:
    explicit JsonWriter(JsonStyle style = JsonStyle::pretty, unsigned indent = 2)
        : style_(style), indent_(indent) {}

    JsonWriter& begin_object() { return open('{'); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& begin_array() { return open('['); }
    JsonWriter& end_array() { return close(']'); }
    JsonWriter& key(std::string_view name);

    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
    // Templates, so that neither a pointer nor an enum becomes a bool or a number by accident.
    template <std::same_as<bool> T>
    JsonWriter& value(T truth) {
        return raw(truth ? "true" : "false");
    }
    template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>) JsonWriter& value(T number) {
        char digits[24];
        auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        return raw(std::string_view(digits, static_cast<size_t>(end - digits)));
    }
    JsonWriter& null() { return raw("null"); }
    // Text that is JSON already.
    JsonWriter& raw(std::string_view json);

    // key() and value() in one.
    template <class T>
    JsonWriter& member(std::string_view name, const T& v) {
        key(name);
        return value(v);
    }

    // What has been written so far; a pretty document ends with a newline once its outermost value is closed.
    const std::string& text() const { return out_; }
    std::string take() { return std::move(out_); }

  private:
    JsonWriter& open(char bracket);
    JsonWriter& close(char bracket);
    void before_value();
    void new_line();
    void finish_document();

    std::string out_;
    JsonStyle style_;
    unsigned indent_;
    unsigned depth_ = 0;
    bool first_ = true;       // nothing written yet in the innermost object or array
    bool after_key_ = false;  // the next value belongs to a key
};

// The text with quotes and escapes, as JsonWriter writes it.
std::string json_quoted(std::string_view text);

}  // namespace croft::format
