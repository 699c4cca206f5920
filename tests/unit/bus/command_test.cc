// Words of a caller become the words of a job: checked, in one spelling, and with the names that polkit is
// asked about.
#include "bus/command.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "bus/client.h"
#include "bus/image_words.h"

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

// How far words about images reach, and what polkit is told of them.
TEST(Command, WordsDecideTheAccessOfImages) {
    struct Case {
        const char* verb;
        std::vector<std::string> words;
        const char *access, *images, *source;
    };
    const Case cases[] = {
        {"image ls", {}, "image-view", "*", ""},
        {"image history", {"web"}, "image-view", "web", ""},
        {"image verify", {}, "image-view", "*", ""},
        {"image verify", {"a", "b"}, "image-view", "a b", ""},
        {"image inspect", {"web:1"}, "image-view", "web:1", ""},
        {"image inspect", {"docker://h.example/web"}, "image-manage", "", "docker://h.example/web"},
        {"image inspect", {"oci:/etc:1"}, "image-transfer", "", "oci:/etc:1"},
        {"image pull", {"h.example/t/web:1"}, "image-manage", "h.example/t/web:1", "docker://h.example/t/web:1"},
        {"image pull", {"docker://h.example/t/web", "web"}, "image-manage", "web", "docker://h.example/t/web"},
        {"image pull", {"--policy=/p", "h.example/web"}, "image-transfer", "", "docker://h.example/web"},
        {"image pull", {"--tls-verify=no", "h.example/web"}, "image-transfer", "", "docker://h.example/web"},
        {"image pull", {"--platform=linux/arm64", "h.example/web"}, "image-manage", "h.example/web:latest", "docker://h.example/web"},
        {"image import", {"-", "tree"}, "image-manage", "tree", "-"},
        {"image import", {"shadow", "tree"}, "image-transfer", "tree", "shadow"},
        {"image import", {"/etc/shadow"}, "image-transfer", "", "/etc/shadow"},
        {"image import", {"tar:/etc/shadow"}, "image-transfer", "", "tar:/etc/shadow"},
        {"image import", {"raw:/dev/vda", "x"}, "image-transfer", "x", "raw:/dev/vda"},
        {"image export", {"web"}, "image-manage", "web", ""},
        {"image export", {"web", "-"}, "image-manage", "web", ""},
        {"image export", {"web", "web.tar"}, "image-transfer", "web", ""},
        {"image push", {"web"}, "image-transfer", "web", ""},
        {"image tag", {"web", "www"}, "image-manage", "web www", ""},
        {"image rm", {"a", "b"}, "image-manage", "a b", ""},
        {"image prune", {}, "image-manage", "*", ""},
        {"image copy", {"web", "dir:/x"}, "image-transfer", "web", "dir:/x"},
        {"image commit", {"m", "web"}, "image-transfer", "web", ""},
        {"image mount", {"web", "/mnt"}, "image-transfer", "web", ""},
    };
    for (const Case& one : cases) {
        auto command = make(one.verb, one.words);
        ASSERT_TRUE(command) << one.verb << " " << join(one.words, " ") << ": " << command.error().text;
        EXPECT_STREQ(cli::access_name(command->access), one.access) << line_of(command);
        EXPECT_EQ(join(command->images, " "), one.images) << line_of(command);
        EXPECT_EQ(command->source, one.source) << line_of(command);
    }
    EXPECT_EQ(line_of(make("image ls", {"-q"})), "image list --quiet --");
    EXPECT_EQ(make("image commit", {"m", "web"})->machine(), "m");
    for (auto& [verb, words] : std::vector<std::pair<std::string, std::vector<std::string>>>{
             {"image import", {"-"}}, {"image tag", {"web"}}, {"image rm", {"a\nb"}}, {"image tag", {"a", ""}}, {"image pull", {"docker://%%"}},
             {"image rm", {std::string(600, 'a')}}, {"image commit", {"../m", "web"}}, {"image login", {"h.example"}}})
        EXPECT_FALSE(make(verb, words)) << verb << " " << join(words, " ");
}

TEST(Command, ImagesAreNamedWholeAmongThoseThatAreSeen) {
    auto named = [](const char* name, char digit) {
        return store::Named{name, *image::Digest::parse(cat("sha256:", std::string(64, digit))), std::nullopt, "", 0};
    };
    std::vector<store::Named> seen = {named("h.example/team/web:latest", 'a'), named("db:1", 'b'), named("h.example/team/db:1", 'c')};
    auto line = [&](const char* verb, std::vector<std::string> words) {
        auto command = make(verb, std::move(words));
        EXPECT_TRUE(command) << command.error().text;
        Result<> done = name_images(*command, seen);
        return done ? cat(join(command->words, " "), " | ", join(command->images, " ")) : done.error().text;
    };
    EXPECT_EQ(line("image tag", {"--force", "web", "new"}),
              "image tag --force -- h.example/team/web:latest new | h.example/team/web:latest new");
    EXPECT_EQ(line("image rm", {"bbbb", "team/db:1"}), "image rm -- db:1 h.example/team/db:1 | db:1 h.example/team/db:1");
    EXPECT_EQ(line("image inspect", {"db:1"}), "image inspect -- db:1 | db:1");
    EXPECT_EQ(line("image rm", {"nope"}), no_such_image("nope").text);
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
