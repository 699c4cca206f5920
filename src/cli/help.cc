#include "cli/help.h"

#include <algorithm>

#include "base/text.h"
#include "cli/options.h"
#include "cli/output.h"

namespace croft::cli {

namespace {
constexpr unsigned option_column = 32, verb_column = 20;

unsigned page_columns() {
    return std::min(terminal_columns(), 100u);
}

// "  left            right, wrapped below itself"
std::string two_columns(std::string_view left, std::string_view right, unsigned column) {
    std::string out = cat("  ", left);
    if (width(out) + 2 > column) {
        out += '\n';
        out.append(column, ' ');
    } else {
        out.append(column - width(out), ' ');
    }
    return out + wrapped(right, page_columns(), column) + "\n";
}

std::string paragraphs(std::string_view doc, unsigned indent) {
    std::string out;
    for (const std::string& paragraph : split(doc, '\n'))
        out += paragraph.empty()
                   ? "\n"
                   : std::string(indent, ' ') + wrapped(paragraph, page_columns(), indent) + "\n";
    return out;
}

std::string indented(std::string_view lines) {
    std::string out;
    for (const std::string& line : split(lines, '\n')) out += cat("  ", line, "\n");
    return out;
}

// What a short hint about values adds to an option's line: only real choices, not kinds ("path").
std::string choices(const OptionView& option) {
    std::string_view values = option.values, argument = option.argument, help = option.help;
    bool told = argument.find('|') != argument.npos || help.find(values) != help.npos ||
                help.find(split(values, '|').back()) != help.npos;
    if (argument.empty() || told || values.find('|') == values.npos) return "";
    return cat(" (", join(split(values, '|'), ", "), ")");
}

std::string option_list(const Verb& verb) {
    std::string out = "\nOptions:\n";
    std::string_view title;
    for (const OptionView& option : options_of(verb)) {
        if (option.field && section_title(*option.field) != title) {
            title = section_title(*option.field);
            out += cat("\n", title, ":\n");
        }
        out += two_columns(option_syntax(option), cat(option.help, choices(option)), option_column);
    }
    return out;
}
}  // namespace

std::string general_help() {
    std::string out =
        "croft VERB [OPTIONS] …: machines and containers on Linux, from a tree of files to a running "
        "system\n";
    for (int g = 0; g < static_cast<int>(Group::hidden); ++g) {
        out += cat("\n", group_title(static_cast<Group>(g)), ":\n");
        for (const Verb& verb : verbs())
            if (verb.group == static_cast<Group>(g)) out += two_columns(verb.name, verb.help, verb_column);
    }
    return out +
           "\n`croft help VERB` tells all about a verb, `croft explain FIELD` about a setting, `croft "
           "doctor` about this "
           "host.\n"
           "Options before the verb: --help, --version, --debug; --system is for users: the machines of the\n"
           "system, as far as polkit allows, instead of their own.\n";
}

std::string noun_help(std::string_view noun) {
    std::string out = cat("croft ", noun, " VERB [OPTIONS] …\n\n");
    for (const Verb& verb : verbs())
        if (noun_of(verb) == noun) out += two_columns(verb.name, verb.help, verb_column);
    return cat(out, "\n`croft help ", noun, " VERB` tells all about a verb.\n");
}

std::string help_of(const Verb& verb) {
    std::string out =
        cat("croft ", verb.name, *verb.synopsis ? " " : "", verb.synopsis, ": ", verb.help, "\n");
    if (*verb.aliases) {
        std::vector<std::string> names = names_of(verb);
        out += cat("Also: ", join({names.begin() + 1, names.end()}, ", "), "\n");
    }
    if (*verb.doc) out += cat("\n", paragraphs(verb.doc, 0));
    if (*verb.example) out += cat("\nExample:\n", indented(verb.example));
    out += option_list(verb);
    if (verb.spec_options != SpecOptions::none)
        out += "\n`croft explain OPTION` tells more about each of these.\n";
    return out;
}

std::string field_help(const spec::Field& field) {
    std::string out = cat(field.name, ": ", field.help, "\n\n");
    if (*field.option) {
        out += cat("  option        ", trim(option_syntax(view_of(field))), "\n");
        if (*field.aliases) out += cat("                also ", field.aliases, "\n");
        const char* offered = field.offered == spec::Offered::run    ? "run"
                              : field.offered == spec::Offered::boot ? "boot"
                                                                     : "run and boot";
        out += cat("  of            croft ", offered, "\n");
    }
    if (*field.key) out += cat("  machine file  [", field.section, "] ", field.key, "=\n");
    if (std::string_view(field.values).find('|') != std::string_view::npos)
        out += cat("  values        ", join(split(field.values, '|'), ", "), "\n");
    out += cat("  given again   ",
               field.repeat == spec::Repeat::adds ? "adds to the list; an empty value clears it"
                                                  : "the last one counts",
               "\n");
    const char* trust = field.trust == spec::Trust::anyone ? "yes"
                        : field.trust == spec::Trust::host_only
                            ? "no: only options and files of the administrator may set it"
                            : "only to take away (a value that starts with '~')";
    out += cat("  may come with an image  ", trust, "\n");
    if (*field.doc) out += cat("\n", paragraphs(field.doc, 0));
    if (*field.example) out += cat("\nExample:\n", indented(field.example));
    return out;
}

std::string all_fields_help() {
    std::string out;
    std::string_view title;
    for (const spec::Field* field : fields_by_section()) {
        if (section_title(*field) != title) {
            title = section_title(*field);
            out += cat(out.empty() ? "" : "\n", title, ":\n");
        }
        out += two_columns(field->name, field->help, 28);
    }
    return out + "\n`croft explain FIELD` tells all about one of them.\n";
}

}  // namespace croft::cli
