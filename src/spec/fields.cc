// The join of the rows, and look-ups. Look-ups walk the rows where they are, so that a start never copies
// them.
#include "spec/fields.h"

#include "base/text.h"
#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;
using Rows = std::span<const Field> (*)();

// The order of help pages: what people set most comes first.
constexpr Rows subjects[] = {machine_rows,   exec_rows,     file_rows,   mount_rows,       network_rows,
                             isolation_rows, security_rows, kernel_rows, resource_rows,    property_rows,
                             device_rows,    process_rows,  limit_rows,  integration_rows, unit_rows};

template <class Match>
const Field* find(Match match) {
    for (Rows rows : subjects)
        for (const Field& field : rows())
            if (match(field)) return &field;
    return nullptr;
}

// Whether `word` is one of the words in `list`, which blanks separate.
bool has_word(string_view list, string_view word) {
    while (!list.empty()) {
        size_t end = std::min(list.find(' '), list.size());
        if (list.substr(0, end) == word) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}
}  // namespace

const MachineSpec& default_spec() {
    static const MachineSpec spec;
    return spec;
}

std::span<const Field> fields() {
    static const std::vector<Field> all = [] {
        std::vector<Field> joined;
        for (Rows rows : subjects) joined.insert(joined.end(), rows().begin(), rows().end());
        return joined;
    }();
    return all;
}

const Field* field_by_name(string_view name) {
    return find([&](const Field& field) { return name == field.name; });
}

const Field* field_by_option(string_view option) {
    if (!option.starts_with("--")) return nullptr;
    return find(
        [&](const Field& field) { return option == field.option || has_word(field.aliases, option); });
}

const Field* field_by_short(char option) {
    if (option == 0 || option == '-') return nullptr;
    const char spelling[] = {'-', option};
    return find([&](const Field& field) {
        return field.short_option == option || has_word(field.aliases, string_view(spelling, 2));
    });
}

const Field* field_by_key(string_view section, string_view key) {
    if (key.empty() || section.empty()) return nullptr;
    const Field* any = nullptr;
    const Field* row = find([&](const Field& field) {
        if (section != field.section) return false;
        if (string_view(field.key) == "*") any = &field;
        return key == field.key;
    });
    return row ? row : any;
}

bool known_section(string_view section) {
    return !section.empty() && find([&](const Field& field) { return section == field.section; });
}

std::string closest_option(string_view option) {
    std::vector<std::string> names;
    for (const Field& field : fields())
        for (const std::string& name : split(cat(field.option, " ", field.aliases), ' '))
            if (name.size() > 2) names.push_back(name);
    return closest(option, names);
}

std::string closest_key(string_view section, string_view key) {
    std::vector<std::string> names;
    for (const Field& field : fields())
        if (section == field.section && string_view(field.key) != "*") names.push_back(field.key);
    return closest(key, names);
}

std::string value_text(const Field& field, const MachineSpec& spec) {
    return join(field.get(spec), ", ");
}

}  // namespace croft::spec
