#include "format/json_document.h"

#include <algorithm>

#include "base/text.h"
#include "format/json_writer.h"

// Neither streams nor exceptions are linked into the hot programs; wrong text is told by a call of
// parse_error().
#define JSON_NO_IO 1
#define JSON_NOEXCEPTION 1
#include <nlohmann/json.hpp>

namespace croft::format {

namespace {
using std::string_view;
}  // namespace

// What nlohmann/json calls as it reads. Its strings are gone after the call, so they are kept in one block;
// together they are never longer than the text.
class JsonBuilder {
  public:
    JsonBuilder(JsonDocument& out, size_t text_size) : out_(out) {
        out.nodes_.reserve(text_size / 8 + 8);
        out.strings_.reset(new char[text_size + 1]);
        free_ = out.strings_.get();
    }

    std::string wrong;

    bool null() { return add(JsonKind::null, "null"); }
    bool boolean(bool value) { return add(JsonKind::boolean, value ? "true" : "false"); }
    bool number_integer(int64_t value) { return number(value); }
    bool number_unsigned(uint64_t value) { return number(value); }
    bool number_float(double, const std::string& digits) { return add(JsonKind::number, keep(digits)); }
    bool string(const std::string& value) { return add(JsonKind::string, keep(value)); }
    bool binary(const nlohmann::json::binary_t&) { return false; }  // of formats that are no JSON
    bool key(const std::string& name) {
        key_ = keep(name);
        return true;
    }
    bool start_object(size_t) { return start(JsonKind::object); }
    bool start_array(size_t) { return start(JsonKind::array); }
    bool end_object() { return end(); }
    bool end_array() { return end(); }
    template <class Exception>
    bool parse_error(size_t, const std::string&, const Exception& exception) {
        // "[json.exception.parse_error.101] parse error at line 1, column 2: …": the rest is a sentence.
        string_view what = exception.what();
        size_t prefix = what.find("] ");
        wrong = prefix == what.npos ? what : what.substr(prefix + 2);
        return false;
    }

  private:
    string_view keep(string_view text) {
        char* at = free_;
        free_ = std::copy(text.begin(), text.end(), free_);
        return {at, text.size()};
    }

    // As short as JSON has it, so never longer than it was written.
    template <class T>
    bool number(T value) {
        char digits[24];
        auto last = std::to_chars(digits, digits + sizeof digits, value).ptr;
        return add(JsonKind::number, keep({digits, static_cast<size_t>(last - digits)}));
    }

    bool add(JsonKind kind, string_view text) {
        auto index = static_cast<uint32_t>(out_.nodes_.size());
        out_.nodes_.push_back({key_.data(), text.data(), static_cast<uint32_t>(key_.size()),
                               static_cast<uint32_t>(text.size()), index + 1, kind});
        key_ = {};
        return true;
    }

    bool start(JsonKind kind) {
        if (depth_ == JsonDocument::deepest) {
            wrong = cat("more than ", depth_, " objects and arrays inside each other");
            return false;
        }
        open_[depth_++] = static_cast<uint32_t>(out_.nodes_.size());
        return add(kind, {});
    }

    bool end() {
        out_.nodes_[open_[--depth_]].end = static_cast<uint32_t>(out_.nodes_.size());
        return true;
    }

    JsonDocument& out_;
    char* free_;
    string_view key_;
    uint32_t open_[JsonDocument::deepest];
    size_t depth_ = 0;
};

Result<JsonDocument> JsonDocument::parse(string_view text) {
    if (text.size() >= UINT32_MAX) return error(Errc::invalid, "is larger than 4 GiB");
    JsonDocument out;
    JsonBuilder builder(out, text.size());
    if (nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &builder)) return out;
    return error(Errc::invalid, std::move(builder.wrong));
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
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                   c == '-';
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
