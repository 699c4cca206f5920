#include "store/records.h"

#include <cerrno>

#include "base/fd.h"
#include "base/text.h"

namespace croft::store {

using format::JsonKind;
using format::JsonValue;

Result<RecordFile> RecordFile::read(int dir, const std::string& name) {
    std::string text = TRY(read_file_at(dir, name.c_str()));
    auto document = format::JsonDocument::parse(text);
    if (document && document->root().kind() == JsonKind::object) return RecordFile(std::move(*document));
    return error(Errc::invalid, cat("the store's file ", name, " is damaged (", document ? "no object" : document.error().text,
                                    "): remove it, and import or pull again what it was for"));
}

Result<std::optional<RecordFile>> RecordFile::find(int dir, const std::string& name) {
    auto found = read(dir, name);
    if (!found && (found.error().err == ENOENT || found.error().err == ENOTDIR)) return std::optional<RecordFile>();
    return std::optional<RecordFile>(TRY(std::move(found)));
}

std::string RecordFile::text(std::string_view key) const {
    auto value = document_.root().member(key);
    return value && value->kind() == JsonKind::string ? std::string(value->text()) : "";
}

uint64_t RecordFile::number(std::string_view key) const {
    auto value = document_.root().member(key);
    return value && value->kind() == JsonKind::number ? parse_uint(value->text()).value_or(0) : 0;
}

bool RecordFile::truth(std::string_view key) const {
    auto value = document_.root().member(key);
    return value && value->kind() == JsonKind::boolean && value->text() == "true";
}

std::vector<std::string> RecordFile::texts(std::string_view key) const {
    std::vector<std::string> out;
    auto value = document_.root().member(key);
    if (!value || value->kind() != JsonKind::array) return out;
    for (JsonValue item : *value)
        if (item.kind() == JsonKind::string) out.emplace_back(item.text());
    return out;
}

}  // namespace croft::store
