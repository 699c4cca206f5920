#include "manager/setting_key.h"

#include "base/text.h"

namespace croft::manager {
namespace {

std::string near_text(const std::string& near) {
    return near.empty() ? "" : cat(" (did you mean ", near, "?)");
}

Result<SettingKey> find_key(std::string_view section, std::string_view key) {
    if (!spec::known_section(section))
        return error(Errc::invalid, cat("[", section, "] is no section of a machine file"));
    const spec::Field* field = spec::field_by_key(section, key);
    if (!field) {
        std::string near = spec::closest_key(section, key);
        return error(Errc::invalid, cat(key, " is no key of [", section, "]",
                                        near_text(near.empty() ? "" : cat(section, ".", near))));
    }
    return SettingKey{field, std::string(key)};
}

const spec::Field* find_named(std::string_view word) {
    if (word.starts_with("--")) return spec::field_by_option(word);
    if (const spec::Field* field = spec::field_by_name(word)) return field;
    if (const spec::Field* field = spec::field_by_option(cat("--", word))) return field;
    for (const spec::Field& field : spec::fields())
        if (word == field.key && *field.section) return &field;
    return nullptr;
}

}  // namespace

std::string SettingKey::shown() const {
    if (!*field->section) return *field->option ? field->option : field->name;
    return cat(field->section, ".", key);
}

bool SettingKey::is_set(const spec::MachineSpec& spec) const {
    std::vector<std::string> values = field->get(spec);
    if (!wildcard()) return !values.empty();
    for (const std::string& value : values)
        if (value.starts_with(cat(key, "="))) return true;
    return false;
}

Result<SettingKey> find_setting(std::string_view word) {
    size_t dot = word.find('.');
    if (dot != word.npos && !word.starts_with("--"))
        return find_key(word.substr(0, dot), word.substr(dot + 1));
    const spec::Field* field = find_named(word);
    if (!field) {
        std::string near = spec::closest_option(word.starts_with("--") ? std::string(word) : cat("--", word));
        return error(Errc::invalid,
                     cat(quoted(word), " is no setting", near_text(near), "; `croft explain` lists them"));
    }
    if (std::string_view(field->key) == "*")
        return error(Errc::invalid, cat(quoted(word), " stands for many keys; name one with its section (",
                                        field->section, ".KEY)"));
    return SettingKey{field, *field->section ? field->key : ""};
}

}  // namespace croft::manager
