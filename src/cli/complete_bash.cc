#include "base/text.h"
#include "cli/completion.h"
#include "cli/options.h"

namespace croft::cli {

namespace {
std::string verb_pattern(const Verb& verb) {
    std::vector<std::string> names = names_of(verb);
    if (!noun_of(verb).empty())
        for (std::string& name : names) name = cat("'", name, "'");
    return join(names, "|");
}

std::string options_case() {
    std::string out = "_croft_options() {\n    case $1 in\n";
    for (const Verb& verb : verbs()) {
        if (verb.group == Group::hidden) continue;
        std::string words;
        for (const OptionView& option : options_of(verb)) {
            bool needs = *option.argument && !is_optional(option.argument);
            words += cat(words.empty() ? "" : " ", option.name, needs ? "=" : "");
        }
        out += cat("        ", verb_pattern(verb), ") echo '", words, "' ;;\n");
    }
    return out + "    esac\n}\n";
}

std::string kind_line(ValueKind kind, std::string_view values) {
    switch (kind) {
        case ValueKind::words:
            return cat("COMPREPLY=($(compgen -W '", value_words(values), "' -- \"$2\"))");
        case ValueKind::file:
            return "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$2\"))";
        case ValueKind::directory:
            return "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$2\"))";
        case ValueKind::user:
            return "COMPREPLY=($(compgen -u -- \"$2\"))";
        case ValueKind::signal:
            return "COMPREPLY=($(compgen -A signal -- \"$2\"))";
        case ValueKind::machine:
            return "COMPREPLY=($(compgen -W \"$(_croft_machines)\" -- \"$2\"))";
        case ValueKind::none:
            break;
    }
    return "";
}

// The same option means the same for every verb that has it, so one list by option name serves all.
std::string values_case() {
    std::string out = "_croft_value() {\n    case $1 in\n", seen = " ";
    for (const Verb& verb : verbs())
        for (const OptionView& option : options_of(verb)) {
            std::string line = kind_line(value_kind(option.values), option.values);
            std::string mark = cat(" ", option.name, " ");
            if (line.empty() || seen.find(mark) != seen.npos) continue;
            seen += cat(option.name, " ");
            std::string pattern = option.name;
            if (option.short_name) pattern += cat("|-", option.short_name);
            out += cat("        ", pattern, ") ", line, " ;;\n");
        }
    return out + "    esac\n}\n";
}

// Options that take the next word when written without "=": completion must not take that word for an
// operand.
std::string takes_value() {
    std::string out = "_croft_takes_value() {\n    case $1 in\n        ", seen = " ";
    for (const Verb& verb : verbs())
        for (const OptionView& option : options_of(verb)) {
            if (!*option.argument || is_optional(option.argument)) continue;
            if (seen.find(cat(" ", option.name, " ")) != seen.npos) continue;
            out += cat(seen.size() > 1 ? "|" : "", option.name);
            seen += cat(option.name, " ");
        }
    return out + ") return 0 ;;\n    esac\n    return 1\n}\n";
}

const char* operand_line(Operands operands) {
    switch (operands) {
        case Operands::tree:
            return "[ \"$2\" -eq 0 ] && _croft_trees \"$3\"";
        case Operands::machine:
            return "COMPREPLY=($(compgen -W \"$(_croft_machines)\" -- \"$3\"))";
        case Operands::declared:
            return "COMPREPLY=($(compgen -W \"$(_croft_machines --all)\" -- \"$3\"))";
        case Operands::running:
            return "COMPREPLY=($(compgen -W \"$(_croft_machines --running)\" -- \"$3\"))";
        case Operands::verb:
            return "COMPREPLY=($(compgen -W \"$_croft_verbs\" -- \"$3\"))";
        case Operands::field:
            return "COMPREPLY=($(compgen -W \"$_croft_fields\" -- \"$3\"))";
        case Operands::copy:
            return "compopt -o filenames -o nospace; COMPREPLY=($(compgen -f -- \"$3\") $(compgen -S : -W "
                   "\"$(_croft_machines "
                   "--running)\" -- \"$3\"))";
        case Operands::plan:
            return "COMPREPLY=($(compgen -W 'run boot' -- \"$3\"))";
        case Operands::image:
            return "compopt -o filenames; COMPREPLY=($(compgen -W \"$(croft image list --quiet 2>/dev/null)\" -- \"$3\") "
                   "$(compgen -f -- \"$3\"))";
        case Operands::none:
            break;
    }
    return ":";
}

std::string operands_case() {
    std::string out = "# _croft_operand VERB INDEX WORD\n_croft_operand() {\n    case $1 in\n";
    for (const Verb& verb : verbs())
        if (verb.group != Group::hidden)
            out += cat("        ", verb_pattern(verb), ") ", operand_line(verb.operands), " ;;\n");
    return out + "    esac\n}\n";
}

std::string nouns_case() {
    std::string out = cat("_croft_nouns='", join(nouns(), " "), "'\n_croft_words_of() {\n    case $1 in\n");
    for (const std::string& noun : nouns()) out += cat("        ", noun, ") echo '", join(words_of_noun(noun), " "), "' ;;\n");
    return out + "    esac\n}\n";
}

constexpr const char* helpers = R"sh(_croft_machines() { croft list --quiet "$@" 2>/dev/null; }
_croft_trees() {
    compopt -o filenames
    COMPREPLY=($(compgen -d -- "$1"))
    case $1 in */*) ;; *) COMPREPLY+=($(compgen -W "$(ls /var/lib/machines 2>/dev/null)" -- "$1")) ;; esac
}
)sh";

constexpr const char* main_function = R"sh(_croft() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb='' index=0 i word
    COMPREPLY=()
    # "--memory=5" arrives as three words, because "=" breaks words.
    if [ "$cur" = = ]; then _croft_value "$prev" ''; return; fi
    if [ "$prev" = = ]; then _croft_value "${COMP_WORDS[COMP_CWORD-2]}" "$cur"; return; fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
            =) ((i++)) ;;
            -*) _croft_takes_value "$word" && [ "${COMP_WORDS[i+1]}" != = ] && ((i++)) ;;
            *)
                if [ -z "$verb" ]; then verb=$word
                elif [[ " $_croft_nouns " == *" $verb "* ]]; then verb="$verb $word"
                elif [ "$verb" = plan ] && [ "$index" -eq 0 ]; then verb=$word
                else ((index++)); fi ;;
        esac
    done
    if [ -z "$verb" ]; then
        COMPREPLY=($(compgen -W "$_croft_verbs --help --version --debug --system" -- "$cur"))
    elif [[ " $_croft_nouns " == *" $verb "* ]]; then
        COMPREPLY=($(compgen -W "$(_croft_words_of "$verb") --help" -- "$cur"))
    elif _croft_takes_value "$prev"; then
        _croft_value "$prev" "$cur"
    elif [ "${cur:0:1}" = - ] && { [ "$index" -eq 0 ] || [[ $verb != run && $verb != boot && $verb != exec ]]; }; then
        COMPREPLY=($(compgen -W "$(_croft_options "$verb")" -- "$cur"))
        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    else
        _croft_operand "$verb" "$index" "$cur"
    fi
}
complete -F _croft croft
)sh";
}  // namespace

std::string bash_completion() {
    std::string names = join(first_words(), " "), field_names;
    for (const spec::Field& field : spec::fields())
        field_names += cat(field_names.empty() ? "" : " ", field.name);
    return cat(
        "# bash completion for croft. Generated by `croft _complete bash` from the tables; do not edit.\n",
        "_croft_verbs='", names, "'\n_croft_fields='", field_names, "'\n", nouns_case(), helpers, options_case(),
        values_case(), takes_value(), operands_case(), main_function);
}

}  // namespace croft::cli
