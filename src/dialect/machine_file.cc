#include "dialect/machine_file.h"

#include <algorithm>

#include "base/text.h"
#include "dialect/ini.h"
#include "spec/fields.h"

namespace croft::dialect {

namespace {
using spec::Field;
using spec::KeyOf;
using spec::KeySyntax;
using spec::Origin;
using spec::SpecPatch;
using std::string_view;

bool for_others(const IniEntry& entry) {
    return entry.section.starts_with("X-") || entry.key.starts_with("X-");
}

std::string place(string_view path, unsigned line) {
    return cat(path, ":", line);
}

std::vector<std::string> section_names() {
    std::vector<std::string> names;
    for (const Field& field : spec::fields())
        if (*field.section && (names.empty() || names.back() != field.section))
            names.emplace_back(field.section);
    return names;
}

Error unknown_section(string_view path, const IniSection& section) {
    std::string near = closest(section.name, section_names());
    return error(Errc::invalid,
                 cat(place(path, section.line), ": [", section.name, "] is no section of a machine file",
                     near.empty() ? "" : cat(" (did you mean [", near, "]?)")));
}

Error unknown_key(string_view path, const IniEntry& entry) {
    std::string near = spec::closest_key(entry.section, entry.key);
    return error(Errc::invalid,
                 cat(place(path, entry.line), ": ", entry.key, "= is no key of [", entry.section, "]",
                     near.empty() ? "" : cat(" (did you mean ", near, "=?)")));
}

// The values that an entry gives to its row: the line, or each word of it.
Result<std::vector<std::string>> values_of(const IniEntry& entry, const Field& field, Escapes escapes) {
    if (field.syntax == KeySyntax::words) return split_words(entry.value, escapes);
    return std::vector<std::string>{entry.value};
}

// A "*" row gets KEY=VALUE, also with an empty value, whose meaning is that key's alone.
bool wildcard(const Field& field) {
    return string_view(field.key) == "*";
}

Result<> add_entry(SpecPatch& patch, const IniEntry& entry, const Field& field, const Origin& origin,
                   const Specifiers& specifiers) {
    if (entry.value.empty() && !wildcard(field)) {
        patch.reset(field, origin);
        return {};
    }
    for (const std::string& word : TRY(values_of(entry, field, Escapes::decode))) {
        std::string value = TRY(expand_specifiers(word, specifiers));
        patch.add(field, wildcard(field) ? cat(entry.key, "=", value) : std::move(value), origin);
    }
    return {};
}

Origin origin_of(string_view path, const IniEntry& entry, FileTrust trust) {
    return {cat(place(path, entry.line), ": ", entry.key, "="), trust == FileTrust::trusted};
}
}  // namespace

SpecPatch read_machine_file(string_view text, string_view path, const Specifiers& specifiers,
                            std::vector<Mistake>& mistakes) {
    IniFile file = parse_ini(text);
    size_t before = mistakes.size();
    for (const IniProblem& problem : file.problems)
        mistakes.push_back(
            {problem.line, error(Errc::invalid, cat(place(path, problem.line), ": ", problem.text))});
    for (const IniSection& section : file.sections)
        if (!section.name.starts_with("X-") && !spec::known_section(section.name))
            mistakes.push_back({section.line, unknown_section(path, section)});
    SpecPatch patch;
    for (const IniEntry& entry : file.entries) {
        // The keys of an unknown section are covered by its own mistake.
        if (for_others(entry) || !spec::known_section(entry.section)) continue;
        const Field* field = spec::field_by_key(entry.section, entry.key);
        if (!field) {
            mistakes.push_back({entry.line, unknown_key(path, entry)});
            continue;
        }
        Origin origin = origin_of(path, entry, FileTrust::trusted);
        Result<> added = add_entry(patch, entry, *field, origin, specifiers).within(origin.text);
        if (!added) mistakes.push_back({entry.line, std::move(added).error()});
    }
    std::stable_sort(mistakes.begin() + static_cast<std::ptrdiff_t>(before), mistakes.end(),
                     [](const Mistake& a, const Mistake& b) { return a.line < b.line; });
    return patch;
}

Result<SpecPatch> parse_machine_file(string_view text, string_view path, const Specifiers& specifiers) {
    std::vector<Mistake> mistakes;
    SpecPatch patch = read_machine_file(text, path, specifiers, mistakes);
    if (!mistakes.empty()) return std::move(mistakes.front().error);
    return patch;
}

namespace {
bool nspawn_section(string_view name) {
    return name == "Exec" || name == "Files" || name == "Network";
}

// What systemd-nspawn(1) only warns about, in the order of lines.
class LineWarnings {
  public:
    void add(unsigned line, std::string text) { found_.emplace_back(line, std::move(text)); }
    void move_to(std::vector<spec::Warning>& out, string_view path) {
        std::ranges::sort(found_);
        for (const auto& [line, text] : found_)
            out.push_back({cat(place(path, line), ": ", text, "; ignored")});
    }

  private:
    std::vector<std::pair<unsigned, std::string>> found_;
};

void add_nspawn_entry(SpecPatch& patch, const IniEntry& entry, Origin origin, LineWarnings& warnings) {
    const Field* field = spec::field_by_key(entry.section, entry.key);
    if (!field || field->key_of != KeyOf::nspawn)
        return warnings.add(entry.line,
                            cat(entry.key, "= is no key of [", entry.section, "] in systemd.nspawn(5)"));
    if (entry.value.empty()) return patch.reset(*field, std::move(origin));
    auto values = values_of(entry, *field, Escapes::keep);
    if (!values) return warnings.add(entry.line, cat(entry.key, "=: ", values.error().text));
    for (std::string& value : *values) patch.add(*field, std::move(value), origin);
}
}  // namespace

SpecPatch parse_nspawn_file(string_view text, string_view path, FileTrust trust,
                            std::vector<spec::Warning>& warnings) {
    IniFile file = parse_ini(text);
    SpecPatch patch;
    LineWarnings found;
    for (IniProblem& problem : file.problems) found.add(problem.line, std::move(problem.text));
    for (const IniSection& section : file.sections)
        if (!nspawn_section(section.name) && !section.name.starts_with("X-"))
            found.add(section.line, cat("[", section.name, "] is no section of systemd.nspawn(5)"));
    // The keys of an unknown section are covered by its own warning.
    for (const IniEntry& entry : file.entries)
        if (!for_others(entry) && nspawn_section(entry.section))
            add_nspawn_entry(patch, entry, origin_of(path, entry, trust), found);
    found.move_to(warnings, path);
    return patch;
}

}  // namespace croft::dialect
