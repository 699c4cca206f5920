// The rows of the verb table and the functions of croft-images are the same verbs.
#include "images/functions.h"

#include <gtest/gtest.h>

#include <set>

using namespace croft;

namespace {

TEST(Functions, EveryRowHasOneAndEveryOneHasARow) {
    std::set<std::string_view> rows, functions;
    for (const cli::Verb& verb : cli::verbs())
        if (verb.images) rows.insert(verb.name);
    for (const cli::NamedFunction& one : images::functions()) {
        EXPECT_TRUE(functions.insert(one.verb).second) << one.verb;
        EXPECT_NE(one.function, nullptr);
    }
    EXPECT_EQ(rows, functions);
}

}  // namespace
