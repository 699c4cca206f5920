#include "dialect/json_read.h"

namespace croft::dialect {

namespace {
std::string kind_of(const Json& json) {
    return cat("is ", json.type_name());
}
}  // namespace

Error json_error(const std::string& path, std::string_view text) {
    return error(Errc::invalid, cat(path, ": ", text));
}

Result<> json_expect_keys(const Json& object, const std::string& path,
                          const std::vector<std::string>& known) {
    if (!object.is_object()) return json_error(path, cat(kind_of(object), ", not an object"));
    for (const auto& [key, value] : object.items())
        if (std::ranges::find(known, key) == known.end())
            return json_error(path,
                              cat(croft::quoted(key), " is no key here", spec::did_you_mean(key, known)));
    return {};
}

const Json* json_member(const Json& object, const char* key) {
    auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<std::string> json_text(const Json& json, const std::string& path) {
    if (!json.is_string()) return json_error(path, cat(kind_of(json), ", not a string"));
    return json.get_ref<const std::string&>();
}

Result<uint64_t> json_number(const Json& json, const std::string& path, uint64_t limit) {
    if (!json.is_number_unsigned() || json.get<uint64_t>() > limit)
        return json_error(path, cat("is no whole number from 0 to ", limit));
    return json.get<uint64_t>();
}

Result<const Json*> json_array(const Json& json, const std::string& path) {
    if (!json.is_array()) return json_error(path, cat(kind_of(json), ", not an array"));
    return &json;
}

Result<std::vector<std::string>> json_texts(const Json& json, const std::string& path) {
    std::vector<std::string> out;
    for (const Json& item : *TRY(json_array(json, path)))
        out.push_back(TRY(json_text(item, cat(path, "[", out.size(), "]"))));
    return out;
}

Result<std::string> json_word(const Json& json, const std::string& path,
                              const std::vector<std::string>& table) {
    std::string text = TRY(json_text(json, path));
    if (std::ranges::find(table, text) != table.end()) return text;
    return json_error(path, cat(croft::quoted(text), " is not known", spec::did_you_mean(text, table)));
}

Result<std::vector<std::string>> json_words(const Json& json, const std::string& path,
                                            const std::vector<std::string>& table) {
    std::vector<std::string> out;
    for (const Json& item : *TRY(json_array(json, path)))
        out.push_back(TRY(json_word(item, cat(path, "[", out.size(), "]"), table)));
    return out;
}

}  // namespace croft::dialect
