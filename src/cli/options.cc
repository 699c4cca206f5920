#include "cli/options.h"

#include "base/text.h"

namespace croft::cli {

bool offers(SpecOptions options, const spec::Field& field) {
    using spec::Offered;
    if (!*field.option || options == SpecOptions::none) return false;
    if (field.offered == Offered::both) return true;
    return field.offered == (options == SpecOptions::app ? Offered::run : Offered::boot);
}

std::vector<OptionView> options_of(const Verb& verb) {
    std::vector<OptionView> out;
    for (const OptionRow& row : verb.options)
        if (*row.help)
            out.push_back({row.name, row.short_name, "", row.argument, row.values, row.help, nullptr});
    out.push_back({"--help", 'h', "", "", "", "print this help", nullptr});
    if (verb.spec_options == SpecOptions::none) return out;
    for (const spec::Field& field : spec::fields())
        if (offers(verb.spec_options, field))
            out.push_back({field.option, field.short_option, field.aliases, field.argument, field.values,
                           field.help, &field});
    return out;
}

std::string option_syntax(const OptionView& option) {
    std::string out = option.short_name ? cat("-", option.short_name, ", ") : std::string("    ");
    out += option.name;
    std::string_view argument = option.argument;
    if (argument.starts_with('['))  // optional: only as --option=VALUE
        out += cat("[=", argument.substr(1));
    else if (!argument.empty())
        out += cat("=", argument);
    return out;
}

std::string_view section_title(const spec::Field& field) {
    constexpr std::pair<std::string_view, std::string_view> titles[] = {
        {"Machine", "The machine"},    {"Exec", "The process and its surroundings"},
        {"Files", "Files and mounts"}, {"Network", "Network"},
        {"Resources", "Resources"},
    };
    for (auto [section, title] : titles)
        if (section == field.section) return title;
    return "The machine";
}

}  // namespace croft::cli
