#include "cli/output.h"

#include <gtest/gtest.h>

#include "cli/machine_text.h"

using namespace croft::cli;

namespace {

TEST(Table, AlignsByTheWidestCell) {
    Table table({"NAME", "STATE"});
    table.add({"web", "running"});
    table.add({"a-longer-one", "x"});
    EXPECT_EQ(table.text(),
              "NAME          STATE\n"
              "web           running\n"
              "a-longer-one  x\n");
}

TEST(Table, WithoutHeadingsTheyDoNotCount) {
    Table table({"A-LONG-HEADING", "B"});
    table.add({"x", "y"});
    EXPECT_EQ(table.text(Table::Headings::no), "x  y\n");
}

TEST(Table, CountsCharactersNotBytes) {
    Table table({"A", "B"});
    table.add({"für", "1"});
    table.add({"fuer", "2"});
    EXPECT_EQ(table.text(Table::Headings::no), "für   1\nfuer  2\n");
}

TEST(Table, EmptyAndHostileCells) {
    Table table({"A", "B"});
    table.add({"", "x\x1b[2Jy"});
    EXPECT_EQ(table.text(Table::Headings::no), "-  x?[2Jy\n");
}

TEST(Wrapped, BreaksAtBlanksAndIndents) {
    EXPECT_EQ(wrapped("one two three", 8, 0), "one two\nthree");
    EXPECT_EQ(wrapped("one two three", 11, 4), "one two\n    three");
    EXPECT_EQ(wrapped("a-word-that-is-too-long x", 5, 0), "a-word-that-is-too-long\nx");
    EXPECT_EQ(wrapped("", 5, 2), "");
}

TEST(Took, TenthsOfSeconds) {
    EXPECT_EQ(took(1'234'000), "1.2 s");
    EXPECT_EQ(took(40'000), "0.0 s");
    EXPECT_EQ(took(59'990'000), "60.0 s");
    EXPECT_EQ(took(61'000'000), "1min 1s");
}

}  // namespace
