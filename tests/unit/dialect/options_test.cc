// argv to patches. Expected patches are written as lines "name=value" (or "name!" for a reset), which is also
// what the golden files hold.
#include "dialect/options.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace croft::dialect {
namespace {

const ExtraOption extras[] = {{"--detach", 'd', "", "Return at once"},
                              {"--json", 0, "", "Print JSON"},
                              {"--settings", 0, "MODE", "Which files are read"},
                              {"--color", 'c', "[WHEN]", "Colours"}};

OptionContext context(FieldOptions fields = FieldOptions::run) {
    return {.fields = fields, .extras = extras, .directory = "/home/me"};
}

Result<ParsedOptions> parse(std::vector<const char*> words, const OptionContext& in) {
    return parse_options(words, in);
}

std::string lines(const ParsedOptions& parsed) {
    std::string out;
    for (const spec::Assignment& one : parsed.patch.assignments)
        out += one.assign == spec::Assign::reset ? cat(one.field->name, "! ")
                                                 : cat(one.field->name, "=", one.value, " ");
    for (const ExtraValue& extra : parsed.extras) out += cat(extra.name, "=", extra.value, " ");
    for (const std::string& word : parsed.rest) out += cat("[", word, "] ");
    return out.empty() ? out : out.substr(0, out.size() - 1);
}

std::string good(std::vector<const char*> words, const OptionContext& in = context()) {
    auto parsed = parse(std::move(words), in);
    return parsed ? lines(*parsed) : cat("error: ", parsed.error().text);
}

std::string bad(std::vector<const char*> words, const OptionContext& in = context()) {
    auto parsed = parse(std::move(words), in);
    if (parsed) return cat("taken: ", lines(*parsed));
    EXPECT_EQ(parsed.error().code, Errc::usage);
    return parsed.error().text;
}

TEST(Options, EveryForm) {
    EXPECT_EQ(good({"--memory", "512M"}), "memory=512M");
    EXPECT_EQ(good({"--memory=512M"}), "memory=512M");
    EXPECT_EQ(good({"-m", "512M"}), "memory=512M");
    EXPECT_EQ(good({"-m512M"}), "memory=512M");
    EXPECT_EQ(good({"-m=512M"}), "memory=512M");
    EXPECT_EQ(good({"--read-only"}), "read-only=yes");
    EXPECT_EQ(good({"--read-only=no"}), "read-only=no");
    EXPECT_EQ(good({"-it"}), "interactive=yes terminal=yes");
    EXPECT_EQ(good({"-itu", "www"}), "interactive=yes terminal=yes user=www");
    EXPECT_EQ(good({"-ituwww"}), "interactive=yes terminal=yes user=www");
    EXPECT_EQ(good({"-xd"}), "ephemeral=yes --detach=yes");
    EXPECT_EQ(good({"--env=A=b=c"}), "env=A=b=c");
}

TEST(Options, StopAtTheFirstOperand) {
    EXPECT_EQ(good({"--rm", "/srv/tree", "--rm", "-i"}), "rm=yes [/srv/tree] [--rm] [-i]");
    EXPECT_EQ(good({"--", "-i"}), "[-i]");
    EXPECT_EQ(good({"-", "-i"}), "[-] [-i]");
    EXPECT_EQ(good({"", "-i"}), "[] [-i]");
    EXPECT_EQ(good({"a", "--"}), "[a] [--]");
    EXPECT_EQ(good({}), "");
}

TEST(Options, MayStandAnywhereWhereAVerbWantsIt) {
    OptionContext anywhere = context(FieldOptions::none);
    anywhere.operands = Operands::anywhere;
    EXPECT_EQ(good({"web", "--json", "db", "-d"}, anywhere), "--json=yes --detach=yes [web] [db]");
    EXPECT_EQ(good({"web", "--", "--json"}, anywhere), "[web] [--json]");
}

TEST(Options, OptionalArgumentsNeedAnEqualsSign) {
    EXPECT_EQ(good({"--volatile", "overlay"}), "volatile=yes [overlay]");
    EXPECT_EQ(good({"--volatile=overlay"}), "volatile=overlay");
    EXPECT_EQ(good({"--private-users", "x"}), "private-users=yes [x]");
    EXPECT_EQ(good({"--color", "x"}), "--color=yes [x]");
    EXPECT_EQ(good({"--color=never"}), "--color=never");
    EXPECT_EQ(good({"-cd"}), "--color=yes --detach=yes");
}

TEST(Options, AliasesMeanTheSame) {
    EXPECT_EQ(good({"--capability=NET_ADMIN"}), "cap-add=NET_ADMIN");
    EXPECT_EQ(good({"--drop-capability=all"}), "cap-drop=all");
    EXPECT_EQ(good({"--chdir=/x", "--setenv", "A=b", "-E", "C=d"}), "workdir=/x env=A=b env=C=d");
    EXPECT_EQ(good({"-a", "--uid=0", "--machine=web", "--kill-signal=TERM"}),
              "init=yes user=0 name=web stop-signal=TERM");
}

TEST(Options, AnEnvironmentNameIsCopied) {
    EXPECT_EQ(good({"-e", "LANG", "-e", "A=b"}), "pass-environment=LANG env=A=b");
}

TEST(Options, EmptyAssignmentsReset) {
    EXPECT_EQ(good({"--bind="}), "bind!");
    EXPECT_EQ(good({"--env=", "--read-only="}), "env! read-only!");
    EXPECT_EQ(bad({"--bind", ""}), "--bind: the value is empty (SRC[:DST[:OPTIONS]])");
    EXPECT_EQ(bad({"-m", ""}), "-m: the value is empty (BYTES)");
}

TEST(Options, RelativeHostPathsAreFromTheCaller) {
    EXPECT_EQ(good({"--bind", "data:/data"}), "bind=/home/me/data:/data");
    EXPECT_EQ(good({"--bind", "./a\\:b:/c:nosuid"}), "bind=/home/me/a\\:b:/c:nosuid");
    EXPECT_EQ(good({"--bind", ".:/c"}), "bind=/home/me:/c");
    EXPECT_EQ(good({"--bind-ro", "/abs", "--bind", "+/in", "--bind", ":/fresh"}),
              "bind-ro=/abs bind=+/in bind=:/fresh");
    EXPECT_EQ(good({"--overlay", "low:up::/dst"}), "overlay=/home/me/low:/home/me/up::/dst");
    EXPECT_EQ(good({"--overlay-ro", "a:b:/dst"}), "overlay-ro=/home/me/a:/home/me/b:/dst");
    EXPECT_EQ(good({"--env-file", "x.env"}), "env-file=/home/me/x.env");
    EXPECT_EQ(good({"--seccomp", "p.json", "--seccomp=off"}), "seccomp=/home/me/p.json seccomp=off");
    EXPECT_EQ(good({"--load-credential", "a.b:dir/file:x"}), "load-credential=a.b:/home/me/dir/file:x");
    EXPECT_EQ(good({"--tmpfs", "rel"}), "tmpfs=rel");  // a place inside: refused by its row
}

TEST(Options, WrongOnesGetASentence) {
    EXPECT_EQ(bad({"--memroy=1"}), "unknown option --memroy (did you mean --memory?)");
    EXPECT_EQ(bad({"--detahc"}), "unknown option --detahc (did you mean --detach?)");
    EXPECT_EQ(bad({"--frobnicate"}), "unknown option --frobnicate");
    EXPECT_EQ(bad({"-Q"}), "unknown option -Q");
    EXPECT_EQ(bad({"-iQt"}), "unknown option -Q in -iQt");
    EXPECT_EQ(bad({"--memory"}), "--memory needs a value (BYTES)");
    EXPECT_EQ(bad({"-u"}), "-u needs a value (USER[:GROUP])");
    EXPECT_EQ(bad({"-iu"}), "-u needs a value (USER[:GROUP])");
    EXPECT_EQ(bad({"--settings"}), "--settings needs a value (MODE)");
    EXPECT_EQ(bad({"--detach=maybe"}), "--detach: 'maybe' is neither yes nor no");
    EXPECT_EQ(bad({"--=x"}), "unknown option --");
    EXPECT_EQ(bad({"---"}), "unknown option ---");
}

TEST(Options, AreThoseOfTheVerb) {
    EXPECT_EQ(bad({"--init"}, context(FieldOptions::boot)), "--init is an option of 'croft run' only");
    EXPECT_EQ(bad({"--rm"}, context(FieldOptions::boot)), "--rm is an option of 'croft run' only");
    EXPECT_EQ(good({"--hostname=a"}, context(FieldOptions::boot)), "hostname=a");
    EXPECT_EQ(bad({"--hostname=a"}, context(FieldOptions::none)), "unknown option --hostname");
}

TEST(Options, AVerbsOwnOptionWins) {
    const ExtraOption own[] = {{"--user", 'u', "USER", "As whom"}};
    OptionContext exec{.fields = FieldOptions::none, .extras = own, .directory = "/"};
    EXPECT_EQ(good({"-u", "alice", "web", "id"}, exec), "--user=alice [web] [id]");
}

TEST(Options, TheLastExtraValueCounts) {
    auto parsed = parse({"--settings=no", "--settings=yes", "-d", "--detach=no"}, context()).value();
    ASSERT_NE(parsed.extra("--settings"), nullptr);
    EXPECT_EQ(*parsed.extra("--settings"), "yes");
    EXPECT_FALSE(parsed.flag("--detach"));
    EXPECT_FALSE(parsed.flag("--json"));
    EXPECT_EQ(parsed.extra("--json"), nullptr);
}

TEST(Options, ErrorsOfValuesNameTheOptionAsWritten) {
    auto parsed = parse({"-m", "12X"}, context()).value();
    spec::MachineSpec spec;
    std::vector<spec::Warning> warnings;
    EXPECT_EQ(spec::apply(parsed.patch, spec, warnings).error().text,
              "-m: '12X' is no size (512M, 2G, infinity, …)");
}

TEST(Options, ACommandKeepsEmptyWords) {
    const std::string words[] = {"echo", "", "a b"};
    spec::SpecPatch patch = command_patch(words);
    spec::MachineSpec spec;
    spec.process.command = {"from", "a", "file"};
    std::vector<spec::Warning> warnings;
    ASSERT_TRUE(spec::apply(patch, spec, warnings));
    EXPECT_EQ(spec.process.command, (std::vector<std::string>{"echo", "", "a b"}));
    ASSERT_TRUE(spec::apply(command_patch({}), spec, warnings));
    EXPECT_EQ(spec.process.command.size(), 3u);  // no command given: the file's stays
}

// Help pages show examples: each must be right.
TEST(Options, EveryExampleIsTaken) {
    for (const spec::Field& field : spec::fields()) {
        if (!*field.option || field.example[0] != '-') continue;
        OptionContext verb =
            context(field.offered == spec::Offered::boot ? FieldOptions::boot : FieldOptions::run);
        auto parsed = parse({field.example}, verb);
        ASSERT_TRUE(parsed) << field.example << ": " << parsed.error().text;
        EXPECT_TRUE(parsed->rest.empty()) << field.example;
        spec::MachineSpec spec;
        std::vector<spec::Warning> warnings;
        auto applied = spec::apply(parsed->patch, spec, warnings);
        // The example of --property is quoted for a shell.
        EXPECT_TRUE(applied) << field.example << ": " << applied.error().text;
        if (spec::field_by_name(field.name) == spec::field_by_option(field.option))
            EXPECT_FALSE(field.get(spec).empty()) << field.example;
    }
}

}  // namespace
}  // namespace croft::dialect
