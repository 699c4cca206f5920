#include "cli/completion.h"

#include <algorithm>

#include "base/text.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace croft::cli {

ValueKind value_kind(std::string_view values) {
    if (values.find('|') != values.npos) return ValueKind::words;
    if (values == "path" || values == "file") return ValueKind::file;
    if (values == "directory" || values == "dir") return ValueKind::directory;
    if (values == "user") return ValueKind::user;
    if (values == "signal") return ValueKind::signal;
    if (values == "machine") return ValueKind::machine;
    return ValueKind::none;
}

std::string value_words(std::string_view values) {
    std::string out;
    for (const std::string& word : split(values, '|')) {
        bool literal = !word.empty();
        for (char c : word)
            literal = literal && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_');
        if (literal) out += cat(out.empty() ? "" : " ", word);
    }
    return out;
}

std::vector<std::string> first_words() {
    std::vector<std::string> out;
    for (const Verb& verb : verbs()) {
        if (verb.group == Group::hidden) continue;
        std::string word(noun_of(verb).empty() ? verb.name : noun_of(verb));
        if (std::ranges::find(out, word) == out.end()) out.push_back(std::move(word));
    }
    return out;
}

std::vector<std::string> nouns() {
    std::vector<std::string> out = first_words();
    std::erase_if(out, [](const std::string& word) { return !is_noun(word); });
    return out;
}

std::vector<std::string> words_of_noun(std::string_view noun) {
    std::vector<std::string> out;
    for (const Verb& verb : verbs())
        if (verb.group != Group::hidden && noun_of(verb) == noun) out.emplace_back(verb.name + noun.size() + 1);
    return out;
}

Result<int> verb_complete(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    const std::string& shell = args.operands[0];
    if (shell == "bash")
        TRY(print(bash_completion()));
    else if (shell == "zsh")
        TRY(print(zsh_completion()));
    else if (shell == "fish")
        TRY(print(fish_completion()));
    else
        return error(Errc::usage, cat("no completion for ", quoted(shell), " (bash, zsh, fish)"));
    return 0;
}

}  // namespace croft::cli
