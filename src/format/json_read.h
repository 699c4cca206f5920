// Reading JSON whose shape is known: an object is a table of rows, one for each member, and what is wrong is
// told with its path ("$.syscalls[3].action: is number, not a string"). For whoever reads JSON that others wrote.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "format/json_document.h"

namespace croft::format {

using Json = JsonValue;

Error json_error(Json at, std::string_view text);
// "is no JSON: line 1, column 19: …"
Result<JsonDocument> json_parse(std::string_view text);
// The member, or nothing when it is missing or null.
std::optional<Json> json_member(Json object, std::string_view key);

// Without NUL, which neither a path nor an argument can hold.
Result<std::string> json_text(Json);
Result<std::string_view> json_view(Json);  // the same, into the document
Result<bool> json_bool(Json);
Result<uint64_t> json_number(Json, uint64_t limit);
Result<int64_t> json_integer(Json, int64_t low, int64_t high);
Result<Json> json_array(Json);
Result<Json> json_object(Json);
Result<std::vector<std::string>> json_texts(Json);
// The members of an object whose names are data: none is empty, none comes twice.
Result<std::vector<Json>> json_map(Json);

// A string, or strings, of a table.
Result<std::string> json_word(Json, std::span<const std::string_view> table);
Result<std::vector<std::string>> json_words(Json, std::span<const std::string_view> table);

// What is said beside the value that comes out of reading.
struct JsonNotes {
    // A member that no row has: an error, or a warning where a format wants to be extended.
    enum class Unknown { refuse, warn } unknown = Unknown::refuse;
    std::vector<std::string> warnings;

    void warn(Json at, std::string_view text);
    bool full() const {
        return warnings.size() == 16;
    }  // a text that is strange as a whole is told of briefly
};

enum class Presence { optional, required };

// A member of an object that becomes a T.
template <class T>
struct JsonRow {
    std::string_view key;
    Result<> (*read)(Json, T&, JsonNotes&);
    Presence presence = Presence::optional;
};

namespace detail {
template <class T, class Value>
T owner(Value T::*);
}
// The T of a member pointer to T.
template <auto Member>
using JsonOwner = decltype(detail::owner(Member));

// Rows for members that are text, or texts.
template <auto Member>
Result<> json_text_row(Json json, JsonOwner<Member>& out, JsonNotes&) {
    out.*Member = TRY(json_text(json));
    return {};
}
template <auto Member>
Result<> json_texts_row(Json json, JsonOwner<Member>& out, JsonNotes&) {
    out.*Member = TRY(json_texts(json));
    return {};
}

Result<> json_unknown(Json member, std::span<const std::string_view> known, JsonNotes& notes);
Error json_missing(Json object, std::string_view key);

// Each member by its row. null is the same as nothing; a name that comes twice is refused.
template <class T, size_t N>
Result<> json_members(Json object, const JsonRow<T> (&rows)[N], T& out, JsonNotes& notes) {
    static_assert(N <= 64);
    TRY(json_object(object));
    uint64_t seen = 0;
    for (Json member : object) {
        size_t row = 0;
        while (row < N && rows[row].key != member.key()) ++row;
        if (row == N) {
            std::string_view known[N];
            for (size_t i = 0; i < N; ++i) known[i] = rows[i].key;
            TRY(json_unknown(member, known, notes));
            continue;
        }
        if (seen >> row & 1) return json_error(member, "is given twice");
        if (member.is_null()) continue;
        seen |= uint64_t{1} << row;
        TRY(rows[row].read(member, out, notes));
    }
    for (size_t row = 0; row < N; ++row)
        if (rows[row].presence == Presence::required && !(seen >> row & 1))
            return json_missing(object, rows[row].key);
    return {};
}

// Objects of an array, one after the other.
template <class T, size_t N>
Result<> json_list(Json array, const JsonRow<T> (&rows)[N], std::vector<T>& out, JsonNotes& notes) {
    for (Json item : TRY(json_array(array))) {
        T value;
        TRY(json_members(item, rows, value, notes));
        out.push_back(std::move(value));
    }
    return {};
}

}  // namespace croft::format
