// JsonDocument: JSON text, read once into a flat array of values. For whoever reads JSON that others wrote.
//
// nlohmann/json reads (this is the only file that shows it to croft); the array is made from its calls
// without a tree of its own, which would cost twice as much. Nesting is limited. A value is a view into its
// document and knows its place, for messages: "$.mounts[3].type". 15 KiB, a config.json with a filter of
// Docker's size, take 0.12 ms.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace croft::format {

enum class JsonKind : uint8_t { null, boolean, number, string, array, object };

class JsonDocument;

class JsonValue {
  public:
    JsonKind kind() const;
    // "object", "number", …
    std::string_view kind_name() const;
    bool is_null() const { return kind() == JsonKind::null; }
    // The name it has in its object; "" elsewhere.
    std::string_view key() const;
    // Of a string what it says, of a number its digits, "true" or "false".
    std::string_view text() const;

    // Of arrays and objects: their values in order. What is no array and no object has none.
    class Iterator;
    Iterator begin() const;
    Iterator end() const;
    bool empty() const;
    size_t most() const;  // as many values are inside at most
    // The last one of that name, as most readers have it; nothing when there is none.
    std::optional<JsonValue> member(std::string_view name) const;

    // Where it is: "$.mounts[3].type", "$.annotations[\"a.b\"]".
    std::string path() const;

  private:
    friend class JsonDocument;
    JsonValue(const JsonDocument* document, uint32_t index) : document_(document), index_(index) {}
    const JsonDocument* document_;
    uint32_t index_;
};

class JsonDocument {
  public:
    static constexpr size_t deepest = 128;

    // The error is a sentence with line and column ("parse error at line 1, column 19: …").
    static Result<JsonDocument> parse(std::string_view text);
    JsonValue root() const { return {this, 0}; }

  private:
    friend class JsonValue;
    friend class JsonBuilder;
    struct Node {
        const char *key, *text;
        uint32_t key_size, text_size;
        uint32_t end;  // the index behind the last value inside it
        JsonKind kind;
    };
    std::vector<Node> nodes_;
    std::unique_ptr<char[]> strings_;
};

class JsonValue::Iterator {
  public:
    Iterator(const JsonDocument* document, uint32_t index) : value_(document, index) {}
    JsonValue operator*() const { return value_; }
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return value_.index_ != other.value_.index_; }

  private:
    JsonValue value_;
};

inline JsonKind JsonValue::kind() const {
    return document_->nodes_[index_].kind;
}
inline std::string_view JsonValue::key() const {
    const auto& node = document_->nodes_[index_];
    return {node.key, node.key_size};
}
inline std::string_view JsonValue::text() const {
    const auto& node = document_->nodes_[index_];
    return {node.text, node.text_size};
}
inline JsonValue::Iterator JsonValue::begin() const {
    return {document_, index_ + 1};
}
inline JsonValue::Iterator JsonValue::end() const {
    return {document_, document_->nodes_[index_].end};
}
inline bool JsonValue::empty() const {
    return document_->nodes_[index_].end == index_ + 1;
}
inline size_t JsonValue::most() const {
    return document_->nodes_[index_].end - index_ - 1;
}
inline JsonValue::Iterator& JsonValue::Iterator::operator++() {
    value_.index_ = value_.document_->nodes_[value_.index_].end;
    return *this;
}

}  // namespace croft::format
