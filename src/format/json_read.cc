#include "format/json_read.h"

namespace croft::format {

namespace {
std::string is_not(Json json, std::string_view wanted) {
    return cat("is ", json.kind_name(), ", not ", wanted);
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
    std::string near = closest(word, {candidates.begin(), candidates.end()});
    return near.empty() ? "" : cat(" (did you mean '", near, "'?)");
}

std::vector<std::string> strings(std::span<const std::string_view> table) {
    return {table.begin(), table.end()};
}
}  // namespace

Error json_error(Json at, std::string_view text) {
    return error(Errc::invalid, cat(at.path(), ": ", text));
}

Result<JsonDocument> json_parse(std::string_view text) {
    return JsonDocument::parse(text).within("is no JSON");
}

std::optional<Json> json_member(Json object, std::string_view key) {
    auto found = object.member(key);
    return found && found->is_null() ? std::nullopt : found;
}

Result<std::string_view> json_view(Json json) {
    if (json.kind() != JsonKind::string) return json_error(json, is_not(json, "a string"));
    if (json.text().find('\0') != json.text().npos) return json_error(json, "holds a NUL character");
    return json.text();
}

Result<std::string> json_text(Json json) {
    return std::string(TRY(json_view(json)));
}

Result<bool> json_bool(Json json) {
    if (json.kind() != JsonKind::boolean) return json_error(json, is_not(json, "true or false"));
    return json.text() == "true";
}

Result<uint64_t> json_number(Json json, uint64_t limit) {
    auto number = json.kind() == JsonKind::number ? parse_uint(json.text()) : std::nullopt;
    if (!number || *number > limit) return json_error(json, cat("is no whole number from 0 to ", limit));
    return *number;
}

Result<int64_t> json_integer(Json json, int64_t low, int64_t high) {
    auto number = json.kind() == JsonKind::number ? parse_int(json.text()) : std::nullopt;
    if (!number || *number < low || *number > high)
        return json_error(json, cat("is no whole number from ", low, " to ", high));
    return *number;
}

Result<Json> json_array(Json json) {
    if (json.kind() != JsonKind::array) return json_error(json, is_not(json, "an array"));
    return json;
}

Result<Json> json_object(Json json) {
    if (json.kind() != JsonKind::object) return json_error(json, is_not(json, "an object"));
    return json;
}

Result<std::vector<std::string>> json_texts(Json json) {
    std::vector<std::string> out;
    out.reserve(TRY(json_array(json)).most());
    for (Json item : json) out.emplace_back(TRY(json_view(item)));
    return out;
}

Result<std::string> json_word(Json json, std::span<const std::string_view> table) {
    std::string_view text = TRY(json_view(json));
    if (std::ranges::find(table, text) != table.end()) return std::string(text);
    std::string hint;
    if (text.size() > 1) hint = did_you_mean(text, table);
    if (hint.empty() && table.size() < 10) hint = cat(" (", join(strings(table), ", "), ")");
    return json_error(json, cat(croft::quoted(text), " is not known", hint));
}

Result<std::vector<std::string>> json_words(Json json, std::span<const std::string_view> table) {
    std::vector<std::string> out;
    for (Json item : TRY(json_array(json))) out.push_back(TRY(json_word(item, table)));
    return out;
}

void JsonNotes::warn(Json at, std::string_view text) {
    if (!full()) warnings.push_back(cat(at.path(), ": ", text));
}

Result<std::vector<Json>> json_map(Json object) {
    std::vector<Json> out;
    for (Json member : TRY(json_object(object)))
        if (!member.is_null()) out.push_back(member);
    std::vector<Json> sorted = out;
    std::ranges::sort(sorted, {}, &Json::key);
    for (size_t i = 0; i + 1 < sorted.size(); ++i)
        if (sorted[i].key() == sorted[i + 1].key()) return json_error(sorted[i + 1], "is given twice");
    for (Json member : out)
        if (member.key().empty() || member.key().find('\0') != member.key().npos)
            return json_error(object, "has a member whose name is empty or holds a NUL character");
    return out;
}

Result<> json_unknown(Json member, std::span<const std::string_view> known, JsonNotes& notes) {
    bool refuse = notes.unknown == JsonNotes::Unknown::refuse;
    std::string hint;
    if (refuse || !notes.full()) hint = did_you_mean(member.key(), known);
    if (refuse) return json_error(member, cat("is no key here", hint));
    notes.warn(member, cat("is not known, and ignored", hint));
    return {};
}

Error json_missing(Json object, std::string_view key) {
    return json_error(object, cat(key, " is missing"));
}

}  // namespace croft::format
