// The verb table: the groups of rows_*.h in one array, in the order of `croft help`, and what looks things up
// in it.
#include "cli/verbs.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/rows_config.h"
#include "cli/rows_end.h"
#include "cli/rows_hidden.h"
#include "cli/rows_images.h"
#include "cli/rows_inside.h"
#include "cli/rows_learn.h"
#include "cli/rows_see.h"
#include "cli/rows_start.h"
#include "cli/rows_store.h"

namespace croft::cli {

namespace {
// Joined by the compiler: the program has one table of constants, as if it were written in one file.
template <size_t... Counts>
constexpr auto joined(const Verb (&... groups)[Counts]) {
    std::array<Verb, (Counts + ...)> all = {};
    auto* at = all.data();
    ((at = std::copy(groups, groups + Counts, at)), ...);
    return all;
}
constexpr auto table =
    joined(start_rows, config_rows, see_rows, inside_rows, end_rows, image_rows, store_rows, learn_rows, hidden_rows);
}  // namespace

std::span<const Verb> verbs() {
    return table;
}

std::string_view noun_of(const Verb& verb) {
    std::string_view name = verb.name;
    size_t space = name.find(' ');
    return space == name.npos ? "" : name.substr(0, space);
}

bool is_noun(std::string_view word) {
    return !word.empty() && std::ranges::any_of(table, [&](const Verb& verb) { return noun_of(verb) == word; });
}

const Verb* find_verb(std::string_view words) {
    for (const Verb& verb : table) {
        if (words == verb.name) return &verb;
        std::string_view noun = noun_of(verb), word = words;
        if (!noun.empty()) {
            if (!word.starts_with(noun) || word.substr(noun.size(), 1) != " ") continue;
            word.remove_prefix(noun.size() + 1);
        }
        for (std::string_view rest = verb.aliases; !rest.empty();) {
            std::string_view alias = rest.substr(0, rest.find(' '));
            if (alias == word) return &verb;
            rest.remove_prefix(std::min(rest.size(), alias.size() + 1));
        }
    }
    return nullptr;
}

FoundVerb find_verb(std::span<char* const> words) {
    if (words.empty()) return {};
    if (!is_noun(words[0])) return {find_verb(std::string_view(words[0]))};
    if (words.size() < 2) return {};
    return {find_verb(cat(words[0], " ", words[1])), 2};
}

std::vector<std::string> names_of(const Verb& verb) {
    std::vector<std::string> out{verb.name};
    std::string_view noun = noun_of(verb);
    if (*verb.aliases)
        for (const std::string& alias : split(verb.aliases, ' ')) out.push_back(cat(noun, noun.empty() ? "" : " ", alias));
    return out;
}

const char* group_title(Group group) {
    constexpr const char* titles[] = {"Start a machine", "Declare machines", "See machines", "Work inside",
                                      "End machines",    "Images",           "Learn and repair", "Hidden"};
    return titles[static_cast<size_t>(group)];
}

}  // namespace croft::cli
