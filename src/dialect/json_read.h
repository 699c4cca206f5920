// Reading JSON whose shape is known, with the path of what is wrong ("$.syscalls[3].action: is number, not a
// string"). The one place that shows nlohmann/json to the rest of dialect/; Json::parse() may throw, these do
// not.
#pragma once

// Streams are not linked into the hot program.
#define JSON_NO_IO 1
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "spec/name_tables.h"

namespace croft::dialect {

using Json = nlohmann::json;

Error json_error(const std::string& path, std::string_view text);

// An object with no other keys than these.
Result<> json_expect_keys(const Json& object, const std::string& path, const std::vector<std::string>& known);
// The member, or nullptr when it is missing or null.
const Json* json_member(const Json& object, const char* key);

Result<std::string> json_text(const Json& json, const std::string& path);
Result<uint64_t> json_number(const Json& json, const std::string& path, uint64_t limit);
Result<const Json*> json_array(const Json& json, const std::string& path);
Result<std::vector<std::string>> json_texts(const Json& json, const std::string& path);

// A string, or strings, of a table.
Result<std::string> json_word(const Json& json, const std::string& path,
                              const std::vector<std::string>& table);
Result<std::vector<std::string>> json_words(const Json& json, const std::string& path,
                                            const std::vector<std::string>& table);

}  // namespace croft::dialect
