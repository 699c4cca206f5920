// Words of a caller become the words of a job: checked, in one spelling, and with the names that polkit is
// asked about.
#include "bus/command.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "bus/client.h"

namespace croft::bus {
namespace {

Result<Command> make(std::string_view verb, std::vector<std::string> words) {
    return make_command(verb, words);
}

std::string line_of(const Result<Command>& command) {
    return command ? join(command->words, " ") : cat("error: ", command.error().text);
}

TEST(Command, HasOneSpelling) {
    EXPECT_EQ(line_of(make("stop", {"-t", "5s", "web", "-q"})), "stop --timeout=5s --quiet -- web");
    EXPECT_EQ(line_of(make("stop", {"web", "--timeout=5s", "--quiet"})), "stop --timeout=5s --quiet -- web");
    EXPECT_EQ(line_of(make("ps", {})), "list --");
    EXPECT_EQ(line_of(make("run", {"-m", "64M", "/tree", "ls", "-l"})), "run -m=64M -- /tree ls -l");
}

TEST(Command, TheOneSpellingMeansTheSame) {
    for (auto& [verb, words] : std::vector<std::pair<std::string, std::vector<std::string>>>{
             {"stop", {"--now=no", "-q", "web"}},
             {"run", {"--bind=/a:/b", "--bind=", "--read-only=no", "--", "/tree", "--", "-x"}},
             {"exec", {"-e", "A=b=c", "--user=daemon", "web", "sh", "-c", "exit 1"}},
             {"kill", {"-s9", "--whom=all", "a", "b"}}}) {
        auto once = make(verb, words);
        ASSERT_TRUE(once) << once.error().text;
        auto twice = make(once->words[0], {once->words.begin() + 1, once->words.end()});
        ASSERT_TRUE(twice) << twice.error().text;
        EXPECT_EQ(once->words, twice->words);
    }
}

TEST(Command, SaysWhomItIsAbout) {
    EXPECT_EQ(make("stop", {"web", "db"})->machines, (std::vector<std::string>{"web", "db"}));
    EXPECT_EQ(make("stop", {"--all"})->machines, std::vector<std::string>{"*"});
    EXPECT_EQ(make("exec", {"web", "db"})->machines, std::vector<std::string>{"web"});
    EXPECT_EQ(make("cp", {"./x", "web:/y"})->machines, std::vector<std::string>{"web"});
    EXPECT_EQ(make("run", {"--name=new", "/tree"})->machines, std::vector<std::string>{"new"});
    EXPECT_EQ(make("shell", {"alice@web"})->user, "alice");
    EXPECT_EQ(make("shell", {"alice@web"})->machine(), "web");
    EXPECT_EQ(make("exec", {"-u", "bob", "web", "id"})->user, "bob");
    EXPECT_EQ(make("stop", {"web", "db"})->machine(), "");
}

TEST(Command, RefusesWhatIsNoWordOfThese) {
    for (auto& [verb, words] :
         std::vector<std::pair<std::string, std::vector<std::string>>>{{"stop", {"../web"}},
                                                                       {"stop", {"--timeoutt=1", "web"}},
                                                                       {"stop", {}},
                                                                       {"exec", {"--help"}},
                                                                       {"frob", {}},
                                                                       {"_relaunch", {"web"}},
                                                                       {"_man", {}},
                                                                       {"explain", {}},
                                                                       {"stop", {std::string("we\0b", 4)}},
                                                                       {"show", {"a b"}}})
        EXPECT_FALSE(make(verb, words)) << verb << " " << join(words, " ");
}

TEST(Command, AVariableIsTheCallersToFill) {
    EXPECT_EQ(make("run", {"--env=HOME", "/tree"}).error().code, Errc::usage);
    setenv("CROFT_TEST_VARIABLE", "value", 1);
    auto filled = with_own_variables(
        {"--env=CROFT_TEST_VARIABLE", "--env=NOT_THERE_AT_ALL", "--env=A=", "--", "--env=HOME"});
    EXPECT_EQ(join(filled, " "), "--env=CROFT_TEST_VARIABLE=value --env=A= -- --env=HOME");
}

TEST(Command, AListIsNarrowedToWhatIsSeen) {
    Command all = *make("list", {"--json"});
    narrow_list(all, {"db", "web"});
    EXPECT_EQ(join(all.words, " "), "list --json -- db web");
    Command some = *make("list", {"w*", "secret"});
    narrow_list(some, {"db", "web"});
    EXPECT_EQ(join(some.words, " "), "list -- web");
    Command none = *make("list", {"secret"});
    narrow_list(none, {"db"});
    EXPECT_EQ(join(none.words, " "), "list -- /");
}

TEST(Command, AStatusIsAnErrorOnlyWhereItIsCroftsOwn) {
    EXPECT_STREQ(failure_of(*cli::find_verb("stop"), 3)->name, "not-found");
    EXPECT_EQ(failure_of(*cli::find_verb("stop"), 0), nullptr);
    EXPECT_EQ(failure_of(*cli::find_verb("exec"), 3), nullptr);
    EXPECT_STREQ(failure_of(*cli::find_verb("exec"), 127)->name, "no-command");
    EXPECT_STREQ(failure_of(*cli::find_verb("exec"), 125)->name, "failed");
}

TEST(Command, TheSentenceIsTheLastOne) {
    EXPECT_EQ(sentence_of("croft: warning\ncroft: it failed\nin two lines\n"), "it failed\nin two lines");
    EXPECT_EQ(sentence_of("it failed\n"), "it failed");
    EXPECT_EQ(sentence_of(""), "");
}

TEST(Command, CallersSayOnlyPlainWords) {
    EXPECT_TRUE(is_terminal_kind("xterm-256color"));
    EXPECT_FALSE(is_terminal_kind("xterm\nLD_PRELOAD=x"));
    EXPECT_FALSE(is_terminal_kind(""));
    EXPECT_TRUE(is_directory_word("/srv/a b"));
    EXPECT_FALSE(is_directory_word("srv"));
}

// A verb without a row cannot be used over the bus; that must be meant, not forgotten.
TEST(Command, EveryVerbHasARow) {
    for (const cli::Verb& verb : cli::verbs())
        if (verb.group != cli::Group::hidden) EXPECT_NE(cli::access_of(verb.name), nullptr) << verb.name;
    for (const cli::AccessRow& row : cli::access_rows())
        EXPECT_NE(cli::find_verb(row.verb), nullptr) << row.verb;
}

}  // namespace
}  // namespace croft::bus
