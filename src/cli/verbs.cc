// The verb table: the groups of rows_*.h in one array, in the order of `croft help`, and what looks things up
// in it.
#include "cli/verbs.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/rows_config.h"
#include "cli/rows_end.h"
#include "cli/rows_hidden.h"
#include "cli/rows_inside.h"
#include "cli/rows_learn.h"
#include "cli/rows_see.h"
#include "cli/rows_start.h"

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
    joined(start_rows, config_rows, see_rows, inside_rows, end_rows, learn_rows, hidden_rows);
}  // namespace

std::span<const Verb> verbs() {
    return table;
}

const Verb* find_verb(std::string_view word) {
    for (const Verb& verb : table) {
        if (word == verb.name) return &verb;
        for (std::string_view rest = verb.aliases; !rest.empty();) {
            std::string_view alias = rest.substr(0, rest.find(' '));
            if (alias == word) return &verb;
            rest.remove_prefix(std::min(rest.size(), alias.size() + 1));
        }
    }
    return nullptr;
}

const char* group_title(Group group) {
    constexpr const char* titles[] = {"Start a machine", "Declare machines", "See machines", "Work inside",
                                      "End machines",    "Learn and repair", "Hidden"};
    return titles[static_cast<size_t>(group)];
}

}  // namespace croft::cli
