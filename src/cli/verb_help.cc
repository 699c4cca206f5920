// help, version, explain: what the tables say.
#include "base/text.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output.h"
#include "format/json_writer.h"
#include "spec/fields.h"

namespace croft::cli {

namespace {
void field_json(format::JsonWriter& json, const spec::Field& field) {
    auto trust = field.trust == spec::Trust::anyone      ? "anyone"
                 : field.trust == spec::Trust::host_only ? "host-only"
                                                         : "deny-only";
    json.begin_object().member("name", field.name).member("option", field.option);
    json.member("aliases", field.aliases).member("section", field.section).member("key", field.key);
    json.member("argument", field.argument).member("values", field.values);
    json.member("adds", field.repeat == spec::Repeat::adds).member("trust", trust);
    json.member("help", field.help).member("doc", field.doc).member("example", field.example).end_object();
}

// A name, an option, a key ("MemoryMax") or a key with its section ("Resources.MemoryMax").
const spec::Field* find_field(std::string_view word) {
    if (const spec::Field* field = spec::field_by_name(word)) return field;
    if (word.starts_with("--")) return spec::field_by_option(word);
    if (word.size() == 2 && word[0] == '-') return spec::field_by_short(word[1]);
    size_t dot = word.find('.');
    std::string_view section = dot == word.npos ? "" : word.substr(0, dot);
    std::string_view key = dot == word.npos ? word : word.substr(dot + 1);
    for (const spec::Field& field : spec::fields())
        if (*field.key && key == field.key && (section.empty() || section == field.section)) return &field;
    if (!section.empty()) return spec::field_by_key(section, key);
    return spec::field_by_option(cat("--", word));
}

Error unknown_field(std::string_view word) {
    std::vector<std::string> names;
    for (const spec::Field& field : spec::fields()) {
        names.push_back(field.name);
        if (*field.option) names.push_back(field.option);
        if (*field.key) names.push_back(field.key);
    }
    std::string near = closest(word, names);
    return error(Errc::not_found, cat("no setting is called ", quoted(word),
                                      near.empty() ? "" : cat(" (did you mean ", quoted(near), "?)"),
                                      "; `croft explain` lists them"));
}

// Options of verbs that are no settings of a machine: --detach, --json. True when there was one.
Result<bool> explain_verb_option(std::string_view word) {
    std::string out;
    for (const Verb& verb : verbs())
        for (const OptionRow& row : verb.options)
            if (*row.help && (word == row.name || (word.size() == 2 && row.short_name &&
                                                   word[1] == row.short_name && word[0] == '-')))
                out += cat("croft ", verb.name, " ", row.name, ": ", row.help, "\n");
    if (out.empty()) return false;
    TRY(print(out));
    return true;
}
}  // namespace

Result<int> verb_help(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 0, 2));
    if (args.operands.empty()) {
        TRY(print(general_help()));
        return 0;
    }
    std::string name = join(args.operands, " ");
    if (is_noun(name)) {
        TRY(print(noun_help(name)));
        return 0;
    }
    const Verb* about = find_verb(name);
    if (!about) return error(Errc::not_found, cat(quoted(name), " is no verb of croft; `croft help` lists them"));
    TRY(print(help_of(*about)));
    return 0;
}

Result<int> verb_version(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 0, 0));
    TRY(print("croft " CROFT_VERSION "\n"));
    return 0;
}

// An option is what is asked about here, unless it is one of our own.
Result<int> verb_explain(const Verb& verb, std::span<char* const> arguments) {
    std::vector<char*> own, asked;
    char end_of_options[] = "--";
    for (char* word : arguments) {
        std::string_view text = word;
        bool ours = text == "--json" || text == "--help" || text == "-h";
        (ours ? own : asked).push_back(word);
    }
    own.push_back(end_of_options);
    own.insert(own.end(), asked.begin(), asked.end());
    Arguments args = TRY(parse_arguments(verb, own));
    TRY(expect_operands(verb, args, 0, 1));
    if (args.operands.empty() && !args.has("--json")) {
        TRY(print(all_fields_help()));
        return 0;
    }
    format::JsonWriter json;
    if (args.operands.empty()) {
        json.begin_array();
        for (const spec::Field& field : spec::fields()) field_json(json, field);
        json.end_array();
        TRY(print(json.text()));
        return 0;
    }
    const std::string& word = args.operands[0];
    const spec::Field* field = find_field(word);
    if (!field) {
        if (word.starts_with('-') && TRY(explain_verb_option(word))) return 0;
        return unknown_field(word);
    }
    if (args.has("--json")) {
        field_json(json, *field);
        TRY(print(json.text()));
    } else {
        TRY(print(field_help(*field)));
    }
    return 0;
}

}  // namespace croft::cli
