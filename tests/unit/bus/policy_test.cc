// The table of access and the polkit file say the same actions.
#include <gtest/gtest.h>

#include <set>

#include "base/fd.h"
#include "base/text.h"
#include "cli/access.h"

namespace croft::cli {
namespace {

TEST(Policy, HasTheActionsOfTheTable) {
    auto text = read_file_at(AT_FDCWD, CROFT_SOURCE "/dbus/org.croft.Croft1.policy");
    ASSERT_TRUE(text);
    std::set<std::string> in_file, in_table;
    constexpr std::string_view mark = "<action id=\"org.croft.Croft1.";
    for (size_t at = text->find(mark); at != text->npos; at = text->find(mark, at + 1))
        in_file.insert(text->substr(at + mark.size(), text->find('"', at + mark.size()) - at - mark.size()));
    for (auto access = Access::view; access <= Access::repair;
         access = static_cast<Access>(static_cast<int>(access) + 1)) {
        in_table.insert(access_name(access));
        EXPECT_STRNE(access_phrase(access), "");
    }
    EXPECT_EQ(in_file, in_table);
}

}  // namespace
}  // namespace croft::cli
