#include "cli/arguments.h"

#include <gtest/gtest.h>

#include "cli/verbs.h"
#include "spec/fields.h"

using namespace croft;
using namespace croft::cli;

namespace {

Result<Arguments> parse(const char* verb, std::vector<std::string> words) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    return parse_arguments(*find_verb(verb), argv);
}

TEST(Arguments, OptionsOfAVerbMayStandAnywhere) {
    auto args = parse("stop", {"web", "--timeout=5s", "db", "-q"});
    ASSERT_TRUE(args) << args.error().text;
    EXPECT_EQ(args->operands, (std::vector<std::string>{"web", "db"}));
    EXPECT_TRUE(args->has("--quiet"));
    EXPECT_EQ(*args->value("--timeout"), "5s");
    EXPECT_EQ(*duration_option(*args, "--timeout"), 5'000'000u);
    EXPECT_FALSE(args->has("--all"));
}

TEST(Arguments, BehindTheTreeAllIsThePayloads) {
    auto args = parse("run", {"-d", "--memory=1G", "/tree", "ls", "-l", "--json"});
    ASSERT_TRUE(args) << args.error().text;
    EXPECT_EQ(args->operands, (std::vector<std::string>{"/tree", "ls", "-l", "--json"}));
    EXPECT_TRUE(args->has("--detach"));
    EXPECT_FALSE(args->has("--json"));
    ASSERT_EQ(args->patch.assignments.size(), 1u);
    EXPECT_STREQ(args->patch.assignments[0].field->name, "memory");
}

TEST(Arguments, DashDashEndsOptions) {
    auto args = parse("stop", {"--", "--all"});
    ASSERT_TRUE(args) << args.error().text;
    EXPECT_EQ(args->operands, std::vector<std::string>{"--all"});
}

TEST(Arguments, AFlagCanBeTakenBack) {
    auto args = parse("stop", {"-q", "--quiet=no", "web"});
    ASSERT_TRUE(args) << args.error().text;
    EXPECT_FALSE(args->has("--quiet"));
}

TEST(Arguments, ValuesComeInOrderAndTheLastOneCounts) {
    auto args = parse("exec", {"-e", "A=1", "--env=B=2", "-u", "a", "-u", "b", "web", "env"});
    ASSERT_TRUE(args) << args.error().text;
    EXPECT_EQ(args->values("--env"), (std::vector<std::string>{"A=1", "B=2"}));
    EXPECT_EQ(*args->value("--user"), "b");
}

TEST(Arguments, TooFewAndTooMany) {
    auto none = parse("logs", {});
    ASSERT_TRUE(none);
    EXPECT_EQ(expect_operands(*find_verb("logs"), *none, 1, 1).error().text,
              "logs needs the name of a machine (croft logs [OPTIONS] NAME)");
    auto two = parse("logs", {"a", "b"});
    ASSERT_TRUE(two);
    EXPECT_EQ(expect_operands(*find_verb("logs"), *two, 1, 1).error().text,
              "logs: 'b' is too much (croft logs [OPTIONS] NAME)");
}

TEST(Arguments, UnknownOptionsNameTheClosestAndWhereToLook) {
    auto args = parse("stop", {"--al"});
    ASSERT_FALSE(args);
    EXPECT_EQ(args.error().code, Errc::usage);
    EXPECT_EQ(args.error().text,
              "unknown option --al (did you mean --all?); `croft help stop` lists the options");
}

}  // namespace
