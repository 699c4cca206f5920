#include "cli/arguments.h"

#include <cstdlib>

#include "base/text.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output.h"
#include "manager/find_tree.h"
#include "cli/verbs.h"
#include "dialect/options.h"

namespace croft::cli {

namespace {
constexpr const char* help_asked = "--help is for people at a command line";

constexpr dialect::ExtraOption help_option = {"--help", 'h', "", "Print this help"};

std::vector<dialect::ExtraOption> extras_of(const Verb& verb) {
    std::vector<dialect::ExtraOption> out;
    out.reserve(verb.options.size() + 1);
    for (const OptionRow& row : verb.options)
        out.push_back({row.name, row.short_name, row.argument, row.help});
    out.push_back(help_option);
    return out;
}

dialect::FieldOptions fields_of(SpecOptions options) {
    switch (options) {
        case SpecOptions::app:
            return dialect::FieldOptions::run;
        case SpecOptions::boot:
            return dialect::FieldOptions::boot;
        case SpecOptions::any:
            return dialect::FieldOptions::any;
        case SpecOptions::none:
            break;
    }
    return dialect::FieldOptions::none;
}

// Behind the first operand of these verbs everything belongs to the payload.
bool payload_follows(const Verb& verb) {
    bool tree_first = verb.spec_options == SpecOptions::app || verb.spec_options == SpecOptions::boot;
    return tree_first || verb.function == verb_exec;
}

const OptionRow* row_named(const Verb& verb, std::string_view name) {
    for (const OptionRow& row : verb.options)
        if (name == row.name) return &row;
    return nullptr;
}

Error explained(Error error, const Verb& verb) {
    if (error.text.starts_with("unknown option"))
        error.text += cat("; `croft help ", verb.name, "` lists the options");
    return error;
}

const char* needed(const Verb& verb) {
    switch (verb.operands) {
        case Operands::machine:
        case Operands::declared:
        case Operands::running:
            return "the name of a machine";
        case Operands::tree:
            return "a tree: a directory, or a name in /var/lib/machines";
        case Operands::copy:
            return "a source and a target";
        default:
            return "an operand";
    }
}

[[noreturn]] void show_help(const Verb& verb) {
    Result<> printed = print(help_of(verb));
    exit(printed ? 0 : 1);
}
}  // namespace

Result<Arguments> parse_words(const Verb& verb, std::span<const char* const> words) {
    std::vector<dialect::ExtraOption> extras = extras_of(verb);
    dialect::OptionContext context{
        .fields = fields_of(verb.spec_options),
        .operands = payload_follows(verb) ? dialect::Operands::end_options : dialect::Operands::anywhere,
        .extras = extras,
        .directory = ""};
    if (verb.spec_options != SpecOptions::none) context.directory = TRY(manager::absolute_path("."));
    auto parsed = dialect::parse_options(words, context);
    if (!parsed) return explained(std::move(parsed).error(), verb);
    if (parsed->flag("--help")) return error(Errc::usage, help_asked);
    Arguments out;
    for (dialect::ExtraValue& extra : parsed->extras) {
        const OptionRow* row = row_named(verb, extra.name);
        if (!row) continue;  // --help=no
        // "--quiet=no" is as if it had not been given, and takes an earlier one back.
        if (!*row->argument) std::erase_if(out.given_, [&](auto& given) { return given.first == row; });
        if (*row->argument || extra.value == "yes") out.given_.emplace_back(row, std::move(extra.value));
    }
    out.patch = std::move(parsed->patch);
    out.operands = std::move(parsed->rest);
    return out;
}

Result<Arguments> parse_arguments(const Verb& verb, std::span<char* const> arguments) {
    auto parsed = parse_words(verb, std::span<const char* const>(arguments.data(), arguments.size()));
    if (!parsed && parsed.error().text == help_asked) show_help(verb);
    return parsed;
}

std::vector<std::string> Arguments::words() const {
    std::vector<std::string> out;
    for (const auto& [row, value] : given_)
        out.push_back(*row->argument ? cat(row->name, "=", value) : std::string(row->name));
    // Spelled as they were, because a sentence about a wrong value begins with that.
    for (const spec::Assignment& one : patch.assignments) {
        bool flag = !*one.field->argument || *one.field->argument == '[';
        bool bare = flag && !one.origin.text.starts_with("--") && one.value == "yes";
        out.push_back(bare ? one.origin.text : cat(one.origin.text, "=", one.value));
    }
    out.emplace_back("--");
    out.insert(out.end(), operands.begin(), operands.end());
    return out;
}

const std::string* Arguments::value(std::string_view option) const {
    for (size_t i = given_.size(); i-- > 0;)
        if (option == given_[i].first->name) return &given_[i].second;
    return nullptr;
}

std::vector<std::string> Arguments::values(std::string_view option) const {
    std::vector<std::string> out;
    for (const auto& [row, value] : given_)
        if (option == row->name) out.push_back(value);
    return out;
}

Result<> expect_operands(const Verb& verb, const Arguments& arguments, size_t least, size_t most) {
    size_t count = arguments.operands.size();
    if (count >= least && count <= most) return {};
    std::string usage = cat("croft ", verb.name, *verb.synopsis ? " " : "", verb.synopsis);
    if (count > most)
        return error(Errc::usage,
                     cat(verb.name, ": ", quoted(arguments.operands[most]), " is too much (", usage, ")"));
    return error(Errc::usage, cat(verb.name, " needs ", count ? "more" : needed(verb), " (", usage, ")"));
}

Result<std::optional<uint64_t>> duration_option(const Arguments& arguments, const char* option) {
    const std::string* text = arguments.value(option);
    if (!text) return std::optional<uint64_t>();
    auto value = parse_duration(*text);
    if (!value)
        return error(Errc::invalid, cat(option, ": ", quoted(*text), " is no time (10s, 2min, infinity)"));
    return value;
}

Result<std::optional<uint64_t>> number_option(const Arguments& arguments, const char* option) {
    const std::string* text = arguments.value(option);
    if (!text) return std::optional<uint64_t>();
    auto value = parse_uint(*text);
    if (!value) return error(Errc::invalid, cat(option, ": ", quoted(*text), " is no number (10)"));
    return value;
}

}  // namespace croft::cli
