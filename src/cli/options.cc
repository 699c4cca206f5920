#include "cli/options.h"

#include <algorithm>

#include "base/text.h"

namespace croft::cli {

bool offers(SpecOptions options, const spec::Field& field) {
    using spec::Offered;
    if (!*field.option || options == SpecOptions::none) return false;
    if (field.offered == Offered::both || options == SpecOptions::any) return true;
    return field.offered == (options == SpecOptions::app ? Offered::run : Offered::boot);
}

OptionView view_of(const spec::Field& field) {
    return {field.option, field.short_option, field.aliases, field.argument,
            field.values, field.help,         &field};
}

std::vector<OptionView> options_of(const Verb& verb) {
    std::vector<OptionView> out;
    for (const OptionRow& row : verb.options)
        if (*row.help)
            out.push_back({row.name, row.short_name, "", row.argument, row.values, row.help, nullptr});
    out.push_back({"--help", 'h', "", "", "", "Print this help", nullptr});
    if (verb.spec_options == SpecOptions::none) return out;
    for (const spec::Field* field : fields_by_section())
        if (offers(verb.spec_options, *field)) out.push_back(view_of(*field));
    return out;
}

std::string option_syntax(const OptionView& option) {
    std::string out = option.short_name ? cat("-", option.short_name, ", ") : std::string("    ");
    out += option.name;
    std::string_view argument = option.argument;
    if (is_optional(argument))  // optional: only as --option=VALUE
        out += cat("[=", argument.substr(1));
    else if (!argument.empty())
        out += cat("=", argument);
    return out;
}

namespace {
struct Title {
    std::string_view section, title;
};
constexpr Title titles[] = {
    {"Machine", "The machine"},      {"Exec", "The process and its surroundings"},
    {"Files", "Files and mounts"},   {"Network", "Network"},
    {"Resources", "Resources"},      {"Unit", "Its systemd unit"},
    {"Service", "Its systemd unit"}, {"Install", "Its systemd unit"},
};
// Rows whose subject is another one than the section of their key, or that have no key.
constexpr std::pair<std::string_view, std::string_view> subjects[] = {
    {"interactive", "Exec"}, {"network", "Network"}, {"cpus", "Resources"},
    {"rlimit", "Exec"},      {"ephemeral", "Files"}, {"pivot-root", "Files"},
};

size_t title_index(const spec::Field& field) {
    std::string_view section = field.section;
    for (auto [name, subject] : subjects)
        if (name == field.name) section = subject;
    for (size_t i = 0; i < std::size(titles); ++i)
        if (titles[i].section == section) return i;
    return 0;
}
}  // namespace

std::string_view section_title(const spec::Field& field) {
    return titles[title_index(field)].title;
}

std::vector<const spec::Field*> fields_by_section() {
    std::vector<const spec::Field*> out;
    for (const spec::Field& field : spec::fields()) out.push_back(&field);
    std::stable_sort(out.begin(), out.end(), [](const spec::Field* a, const spec::Field* b) {
        return title_index(*a) < title_index(*b);
    });
    return out;
}

bool is_optional(std::string_view argument) {
    return argument.starts_with('[') && argument.find(']') == argument.size() - 1;
}

}  // namespace croft::cli
