#include "base/text.h"
#include "cli/completion.h"
#include "cli/options.h"

namespace croft::cli {

namespace {
std::string in_quotes(std::string_view text) {
    std::string out = "'";
    for (char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

std::string verb_condition(const Verb& verb) {
    std::vector<std::string> names = names_of(verb);
    if (!noun_of(verb).empty())
        for (std::string& name : names) name = cat("\"", name, "\"");
    return in_quotes(cat("__croft_verb ", join(names, " ")));
}

std::string value_part(std::string_view values) {
    switch (value_kind(values)) {
        case ValueKind::words:
            return cat(" -a ", in_quotes(value_words(values)));
        case ValueKind::file:
            return " -F";
        case ValueKind::directory:
            return " -a '(__fish_complete_directories)'";
        case ValueKind::user:
            return " -a '(__fish_complete_users)'";
        case ValueKind::signal:
            return " -a 'HUP INT QUIT KILL USR1 USR2 TERM STOP CONT'";
        case ValueKind::machine:
            return " -a '(__croft_machines)'";
        case ValueKind::none:
            break;
    }
    return "";
}

std::string option_line(const Verb& verb, const OptionView& option) {
    std::string out =
        cat("complete -c croft -n ", verb_condition(verb), " -l ", std::string_view(option.name).substr(2));
    if (option.short_name) out += cat(" -s ", option.short_name);
    if (*option.argument && !is_optional(option.argument))
        out += value_kind(option.values) == ValueKind::file ? " -r" : " -x";
    return cat(out, value_part(option.values), " -d ", in_quotes(option.help), "\n");
}

const char* operand_part(Operands operands) {
    switch (operands) {
        case Operands::tree:
            return " -a '(__croft_trees)'";
        case Operands::machine:
            return " -a '(__croft_machines)'";
        case Operands::declared:
            return " -a '(__croft_machines --all)'";
        case Operands::running:
            return " -a '(__croft_machines --running)'";
        case Operands::verb:
            return " -a \"$__croft_verbs\"";
        case Operands::field:
            return " -a \"$__croft_fields\"";
        case Operands::copy:
            return " -F -a '(__croft_places)'";
        case Operands::plan:
            return " -a 'run boot'";
        case Operands::image:
            return " -F -a '(__croft_images)'";
        case Operands::none:
            break;
    }
    return "";
}

constexpr const char* helpers = R"sh(
function __croft_machines
    croft list --quiet $argv 2>/dev/null
end
function __croft_images
    command -q croft; and croft image list --quiet 2>/dev/null
end
function __croft_places
    for name in (__croft_machines --running)
        echo $name:
    end
end
function __croft_trees
    test -d /var/lib/machines; and ls /var/lib/machines
    __fish_complete_directories
end
# True when the verb on the command line (behind "plan", the one that is planned) is one of these.
function __croft_verb
    set -l words (commandline -opc)
    set -l noun ''
    for word in $words[2..-1]
        string match -q -- '-*' $word; and continue
        if test $word = plan; and not contains -- plan $argv
            continue
        end
        if test -z "$noun"; and contains -- $word $__croft_nouns
            set noun $word
            continue
        end
        contains -- (string trim -- "$noun $word") $argv
        return
    end
    return 1
end
# True when the noun stands there, and no verb yet.
function __croft_noun
    set -l words (commandline -opc)
    set -l seen
    for word in $words[2..-1]
        string match -q -- '-*' $word; and continue
        set -a seen $word
    end
    test "$seen" = $argv[1]
end
function __croft_no_verb
    set -l words (commandline -opc)
    for word in $words[2..-1]
        string match -q -- '-*' $word; or return 1
    end
    return 0
end
complete -c croft -f
complete -c croft -n __croft_no_verb -l help -d 'print help'
complete -c croft -n __croft_no_verb -l version -d 'print the version'
complete -c croft -n __croft_no_verb -l debug -d 'tell what is done'
complete -c croft -n __croft_no_verb -l system -d 'the machines of the system, as a user'
)sh";
}  // namespace

std::string fish_completion() {
    std::string names = join(first_words(), " "), fields, out;
    for (const std::string& noun : nouns())
        out += cat("complete -c croft -n __croft_no_verb -a ", noun, " -d 'its verbs'\n");
    for (const Verb& verb : verbs()) {
        if (verb.group == Group::hidden) continue;
        std::string noun(noun_of(verb)), word(verb.name + (noun.empty() ? 0 : noun.size() + 1));
        std::string where = noun.empty() ? "__croft_no_verb" : in_quotes(cat("__croft_noun ", noun));
        out += cat("complete -c croft -n ", where, " -a ", word, " -d ", in_quotes(verb.help), "\n");
    }
    for (const Verb& verb : verbs()) {
        if (verb.group == Group::hidden) continue;
        if (*operand_part(verb.operands))
            out += cat("complete -c croft -n ", verb_condition(verb), operand_part(verb.operands), "\n");
        for (const OptionView& option : options_of(verb)) out += option_line(verb, option);
    }
    for (const spec::Field& field : spec::fields()) fields += cat(fields.empty() ? "" : " ", field.name);
    return cat(
        "# fish completion for croft. Generated by `croft _complete fish` from the tables; do not edit.\n",
        "set -g __croft_verbs '", names, "'\nset -g __croft_nouns ", join(nouns(), " "),
        "\nset -g __croft_fields '", fields, "'\n", helpers, out);
}

}  // namespace croft::cli
