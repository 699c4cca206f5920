#include "base/text.h"
#include "cli/completion.h"
#include "cli/options.h"

namespace croft::cli {

namespace {
// Text inside the [] of an _arguments spec, itself in single quotes.
std::string spec_text(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '\'')
            out += "'\\''";
        else if (c == '[' || c == ']' || c == ':' || c == '\\')
            out += cat("\\", c);
        else
            out += c;
    }
    return out;
}

std::string action(std::string_view values) {
    switch (value_kind(values)) {
        case ValueKind::words:
            return cat("(", value_words(values), ")");
        case ValueKind::file:
            return "_files";
        case ValueKind::directory:
            return "_files -/";
        case ValueKind::user:
            return "_users";
        case ValueKind::signal:
            return "_signals";
        case ValueKind::machine:
            return "_croft_machines";
        case ValueKind::none:
            break;
    }
    return " ";
}

std::string option_spec(const OptionView& option) {
    std::string_view argument = option.argument;
    bool optional = is_optional(argument);
    if (optional) argument = argument.substr(1, argument.size() - 2);
    std::string value;
    if (!argument.empty())
        value = cat(optional ? "::" : ":", spec_text(argument), ":", action(option.values));
    std::string help = cat("[", spec_text(option.help), "]");
    std::string out = cat("        '*", option.name,
                          optional           ? "=-"
                          : argument.empty() ? ""
                                             : "=",
                          help, value, "' \\\n");
    if (option.short_name)
        out += cat("        '*-", option.short_name, argument.empty() || optional ? "" : "+", help,
                   optional ? "" : value, "' \\\n");
    return out;
}

const char* operands(Operands kind) {
    switch (kind) {
        case Operands::tree:
            return "'1:tree:_croft_trees' '*::command:_normal'";
        case Operands::machine:
            return "'*:machine:_croft_machines'";
        case Operands::declared:
            return "'*:machine:_croft_declared'";
        case Operands::running:
            return "'*:machine:_croft_running'";
        case Operands::verb:
            return "'1:verb:($_croft_verbs)'";
        case Operands::field:
            return "'1:setting:($_croft_fields)'";
        case Operands::copy:
            return "'*:path:_croft_paths'";
        case Operands::plan:
            return "'1:verb:(run boot)' '*::rest:_croft_verb'";
        case Operands::image:
            return "'*:image:_croft_images'";
        case Operands::none:
            break;
    }
    return "";
}

std::string verb_case(const Verb& verb) {
    std::vector<std::string> names = names_of(verb);
    if (!noun_of(verb).empty())
        for (std::string& name : names) name = cat("'", name, "'");
    std::string pattern = join(names, "|");
    std::string out = cat("    ", pattern, ")\n        _arguments -s ",
                          verb.spec_options == SpecOptions::none ? "" : "-A '-*' ", ": \\\n");
    for (const OptionView& option : options_of(verb)) out += option_spec(option);
    return cat(out, "        ", operands(verb.operands), "\n        ;;\n");
}

// The verb behind a noun becomes one word with it.
std::string noun_case(const std::string& noun) {
    std::string out = cat("    ", noun, ")\n        if (( CURRENT == 2 )); then\n            local -a lines; lines=(\n");
    for (const Verb& verb : verbs())
        if (verb.group != Group::hidden && noun_of(verb) == noun)
            out += cat("                '", verb.name + noun.size() + 1, ":", spec_text(verb.help), "'\n");
    return cat(out, "            )\n            _describe -t verbs verb lines\n        else\n",
               "            words=(\"", noun, " $words[2]\" \"${(@)words[3,-1]}\"); (( CURRENT-- ))\n",
               "            _croft_verb\n        fi\n        ;;\n");
}

constexpr const char* helpers = R"sh((( $+functions[_croft_machines] )) || _croft_machines() {
    local -a names; names=(${(f)"$(croft list --quiet 2>/dev/null)"}); compadd -a names
}
(( $+functions[_croft_running] )) || _croft_running() {
    local -a names; names=(${(f)"$(croft list --quiet --running 2>/dev/null)"}); compadd -a names
}
(( $+functions[_croft_declared] )) || _croft_declared() {
    local -a names; names=(${(f)"$(croft list --quiet --all 2>/dev/null)"}); compadd -a names
}
(( $+functions[_croft_trees] )) || _croft_trees() {
    local -a names; names=(/var/lib/machines/*(N:t)); compadd -a names; _files -/
}
(( $+functions[_croft_images] )) || _croft_images() {
    local -a names; names=(${(f)"$(croft image list --quiet 2>/dev/null)"}); compadd -a names; _files
}
(( $+functions[_croft_paths] )) || _croft_paths() {
    local -a names; names=(${(f)"$(croft list --quiet --running 2>/dev/null)"}); compadd -S : -a names; _files
}
)sh";

constexpr const char* tail = R"sh(
_croft() {
    if (( CURRENT == 2 )); then
        _describe -t verbs verb _croft_verb_lines
        return
    fi
    shift words; (( CURRENT-- ))
    _croft_verb
}

if [ "$funcstack[1]" = _croft ]; then _croft "$@"; else compdef _croft croft; fi
)sh";
}  // namespace

std::string zsh_completion() {
    std::string names = join(first_words(), " "), lines, fields, cases;
    for (const Verb& verb : verbs()) {
        if (verb.group == Group::hidden) continue;
        if (noun_of(verb).empty()) lines += cat("    '", verb.name, ":", spec_text(verb.help), "'\n");
        cases += verb_case(verb);
    }
    for (const std::string& noun : nouns()) {
        lines += cat("    '", noun, ":its verbs'\n");
        cases += noun_case(noun);
    }
    for (const spec::Field& field : spec::fields()) fields += cat(fields.empty() ? "" : " ", field.name);
    return cat("#compdef croft\n# Generated by `croft _complete zsh` from the tables; do not edit.\n",
               "typeset -ga _croft_verbs _croft_fields _croft_verb_lines\n_croft_verbs=(", names,
               ")\n_croft_fields=(", fields, ")\n_croft_verb_lines=(\n", lines, ")\n", helpers,
               "\n# words[1] is the verb.\n_croft_verb() {\n    case $words[1] in\n", cases, "    esac\n}\n",
               tail);
}

}  // namespace croft::cli
