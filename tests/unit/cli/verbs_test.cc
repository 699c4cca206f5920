#include "cli/verbs.h"

#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "cli/completion.h"
#include "cli/options.h"
#include "manager/find_tree.h"

using namespace croft;
using namespace croft::cli;

namespace {

TEST(Verbs, NamesAndAliasesAreUnique) {
    std::set<std::string> seen;
    for (const Verb& verb : verbs())
        for (const std::string& word : names_of(verb)) {
            EXPECT_TRUE(seen.insert(word).second) << word;
            EXPECT_EQ(find_verb(word), &verb);
        }
    EXPECT_EQ(find_verb(""), nullptr);
    EXPECT_EQ(find_verb("l"), nullptr);
    EXPECT_EQ(find_verb("image"), nullptr);
}

TEST(Verbs, AVerbOfANounIsTwoWords) {
    char image[] = "image", copy[] = "copy", run[] = "run";
    char* two[] = {image, copy};
    char* one[] = {image};
    char* plain[] = {run, image};
    EXPECT_STREQ(find_verb(std::span<char* const>(two)).verb->name, "image copy");
    EXPECT_EQ(find_verb(std::span<char* const>(two)).words, 2u);
    EXPECT_EQ(find_verb(std::span<char* const>(one)).verb, nullptr);
    EXPECT_EQ(find_verb(std::span<char* const>(plain)).words, 1u);
    EXPECT_TRUE(is_noun("image") && !is_noun("run") && !is_noun(""));
}

TEST(Verbs, RowsAreComplete) {
    for (const Verb& verb : verbs()) {
        EXPECT_EQ(verb.images, verb.function == nullptr) << verb.name;
        if (verb.group == Group::hidden) continue;
        EXPECT_TRUE(*verb.help && *verb.doc) << verb.name;
        EXPECT_TRUE(std::string_view(verb.example).starts_with("croft ")) << verb.name;
        EXPECT_FALSE(std::string_view(verb.help).ends_with('.')) << verb.name;
    }
}

// A verb's own option would hide a setting of the same spelling.
TEST(Verbs, OwnOptionsHideNoSetting) {
    for (const Verb& verb : verbs())
        for (const OptionRow& row : verb.options) {
            const spec::Field* field = spec::field_by_option(row.name);
            EXPECT_FALSE(field && offers(verb.spec_options, *field)) << verb.name << " " << row.name;
            field = row.short_name ? spec::field_by_short(row.short_name) : nullptr;
            EXPECT_FALSE(field && offers(verb.spec_options, *field)) << verb.name << " -" << row.short_name;
        }
}

TEST(Verbs, StatusesOfFailures) {
    EXPECT_EQ(status_of(error(Errc::not_found, ""), OwnStatus::by_kind), 3);
    EXPECT_EQ(status_of(error(Errc::not_found, ""), OwnStatus::apart), 125);
    EXPECT_EQ(status_of(error(Errc::not_executable, ""), OwnStatus::apart), 126);
    EXPECT_EQ(status_of(error(Errc::no_command, ""), OwnStatus::apart), 127);
}

TEST(Options, Syntax) {
    EXPECT_EQ(option_syntax({"--memory", 'm', "", "BYTES", "", "", nullptr}), "-m, --memory=BYTES");
    EXPECT_EQ(option_syntax({"--volatile", 0, "", "[MODE]", "", "", nullptr}), "    --volatile[=MODE]");
    EXPECT_EQ(option_syntax({"--syscall-filter", 0, "", "[~]CALL,…", "", "", nullptr}),
              "    --syscall-filter=[~]CALL,…");
}

TEST(Options, EverySettingHasASubject) {
    EXPECT_EQ(fields_by_section().size(), spec::fields().size());
    for (const spec::Field* field : fields_by_section())
        EXPECT_FALSE(section_title(*field).empty()) << field->name;
}

TEST(Completion, WordsThatStandForSomethingAreLeftOut) {
    EXPECT_EQ(value_words("yes|no|pick"), "yes no pick");
    EXPECT_EQ(value_words("none|host|PATH"), "none host");
    EXPECT_EQ(value_kind("none|host|PATH"), ValueKind::words);
    EXPECT_EQ(value_kind("path"), ValueKind::file);
    EXPECT_EQ(value_kind(""), ValueKind::none);
}

TEST(Tree, APathIsMeantFromHere) {
    auto tree = manager::find_tree("/srv/debian_12/");
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->directory, "/srv/debian_12/");
    EXPECT_EQ(tree->name, "debian-12");
    auto relative = manager::find_tree("./x");
    ASSERT_TRUE(relative);
    EXPECT_TRUE(relative->directory.starts_with("/"));
    EXPECT_EQ(relative->name, "x");
}

TEST(Tree, ANameIsNoPath) {
    auto tree = manager::find_tree("surely-no-such-tree");
    ASSERT_FALSE(tree);
    EXPECT_EQ(tree.error().code, Errc::not_found);
    EXPECT_NE(tree.error().text.find("/var/lib/machines"), std::string::npos);
    EXPECT_FALSE(manager::find_tree(""));
}

}  // namespace
