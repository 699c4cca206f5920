// Hooks: what each list sees, where it runs, in which order, and what a failure of each undoes.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "base/text.h"
#include "machine.h"
#include "run/hooks.h"

namespace croft::run::testing {
namespace {

using namespace launch;

launch::Hook shell(const std::string& script, uint32_t timeout = 0) {
    return {
        .path = "/bin/sh", .args = {"sh", "-c", script}, .env = {"PATH=/usr/bin:/bin"}, .timeout = timeout};
}

class Hooks : public Machine, public ::testing::WithParamInterface<Users> {
  protected:
    void SetUp() override {
        Machine::SetUp();
        if (IsSkipped()) return;
        log_path = run_path + "/log";
        // Hooks that have become the machine's root write it, too.
        ASSERT_TRUE(write_file("", 0666));
    }
    bool write_file(std::string_view text, mode_t mode) {
        Result<Fd> fd = open_at(AT_FDCWD, log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, mode);
        return fd && fchmod(fd->get(), mode) == 0 && write_all(fd->get(), text);
    }
    std::string log() const { return read_file_at(AT_FDCWD, log_path.c_str()).value(); }
    LaunchPlan with_container_hooks(const std::string& script) const {
        LaunchPlan p = plan(GetParam(), script);
        p.inside.push_back(ContainerHooks{});
        return p;
    }
    std::string run_with_state(const LaunchPlan& p) {
        LaunchEnvironment e = environment();
        e.state = [](pid_t pid, std::string_view status) { return cat(pid, " ", status); };
        e.root_path = tree;
        return run(p, std::move(e));
    }
    std::string log_path;
};
INSTANTIATE_TEST_SUITE_P(Users, Hooks, ::testing::Values(Users::host, Users::own),
                         [](const auto& users) { return users.param == Users::host ? "host" : "own"; });

TEST_P(Hooks, RunInTheirOrderWithTheState) {
    LaunchPlan p = with_container_hooks("echo payload");
    auto say = [&](const char* word) { return shell(cat("echo ", word, " $(cut -d' ' -f2) >>", log_path)); };
    p.hooks.prestart = {say("prestart")};
    p.hooks.create_runtime = {say("runtime1"), say("runtime2")};
    p.hooks.create_container = {say("container1"), say("container2")};
    p.hooks.start_container = {
        {.path = "/bin/sh", .args = {"sh", "-c", "cat"}, .env = {"PATH=/bin"}, .timeout = 0}};
    EXPECT_EQ(run_with_state(p), "1 createdpayload\n") << failure;
    EXPECT_EQ(log(),
              "prestart created\nruntime1 creating\nruntime2 creating\ncontainer1 creating\ncontainer2 "
              "creating\n");
}

TEST_P(Hooks, OfTheRuntimeAreAmongTheHostsNamespacesAndKnowThePid) {
    LaunchPlan p = plan(GetParam(), "true");
    p.hooks.create_runtime = {
        shell(cat("read pid status; readlink /proc/self/ns/mnt /proc/$pid/ns/mnt >>", log_path))};
    run_with_state(p);
    std::vector<std::string> lines = split(log(), '\n');
    ASSERT_EQ(lines.size(), 3u) << failure;
    EXPECT_EQ(lines[0], own_namespace("mnt"));
    EXPECT_NE(lines[1], own_namespace("mnt"));
}

TEST_P(Hooks, OfTheContainerAreInItsNamespacesAndSeeTheHostsTree) {
    LaunchPlan p = with_container_hooks("true");
    p.hooks.create_container = {
        shell(cat("{ cat; echo; hostname; id -u; ls ", tree, "/proc/self/ns; cat ", run_path,
                  "/host-file; } >>", log_path, " 2>&1")),
        shell(cat("for n in pid net ipc uts mnt cgroup user; do readlink /proc/self/ns/$n; done >>",
                  log_path))};
    ASSERT_TRUE(write_file("", 0666));
    Fd host_file =
        std::move(open_at(AT_FDCWD, (run_path + "/host-file").c_str(), O_WRONLY | O_CREAT, 0644).value());
    ASSERT_TRUE(write_all(host_file.get(), "of the host\n"));
    run_with_state(p);
    std::string text = log();
    EXPECT_EQ(failure, "");
    EXPECT_TRUE(text.starts_with("1 creating\ntest\n0\n")) << text;
    EXPECT_NE(text.find("of the host\n"), text.npos) << text;
    for (const char* name : {"pid", "net", "ipc", "uts", "mnt", "cgroup"})
        EXPECT_EQ(text.find(own_namespace(name)), text.npos) << name << text;
    EXPECT_EQ(text.find(own_namespace("user")) == text.npos, GetParam() == Users::own) << text;
}

TEST_P(Hooks, WhatTheContainersHooksChangeAndMountIsThereForThePayload) {
    LaunchPlan p =
        with_container_hooks("cat /tmp/made /etc/mounted; cat /proc/self/mountinfo | grep -c /etc/mounted");
    p.hooks.create_container = {
        shell(cat("echo made >", tree, "/tmp/made; echo mounted >", tree, "/tmp/source; : >", tree,
                  "/etc/mounted; mount --bind ", tree, "/tmp/source ", tree, "/etc/mounted"))};
    EXPECT_EQ(run_with_state(p), "made\nmounted\n1\n") << failure;
}

TEST_P(Hooks, NothingOfTheHostIsLeftInTheMachine) {
    LaunchPlan p = with_container_hooks("cat /proc/self/mountinfo; ls /");
    std::string without = run_with_state(plan(GetParam(), "cat /proc/self/mountinfo; ls /"));
    p.hooks.create_container = {shell("true")};
    std::string with = run_with_state(p);
    EXPECT_EQ(split(with, '\n').size(), split(without, '\n').size()) << with << without << failure;
    EXPECT_EQ(with.find("shared:"), with.npos) << with;
    EXPECT_NE(with.find("/dev/pts"), with.npos) << with;
}

TEST_P(Hooks, AFailureUndoesAllAndNamesTheHook) {
    for (int list = 0; list < 3; ++list) {
        LaunchPlan p = with_container_hooks("exec sleep 1000");
        std::vector<launch::Hook> hooks = {shell("true"), shell("exit 7"),
                                           shell(cat("echo never >>", log_path))};
        (list == 0   ? p.hooks.prestart
         : list == 1 ? p.hooks.create_runtime
                     : p.hooks.create_container) = hooks;
        run_with_state(p);
        const char* names[] = {"prestart", "createRuntime", "createContainer"};
        EXPECT_EQ(failure, cat("error running ", names[list], " hook #1 '/bin/sh': it exited with status 7"));
        EXPECT_EQ(log(), "");
    }
}

TEST_P(Hooks, OneThatHangsIsKilledWithWhatItStarted) {
    for (bool inside : {false, true}) {
        LaunchPlan p = with_container_hooks("exec sleep 1000");
        auto& list = inside ? p.hooks.create_container : p.hooks.create_runtime;
        list.push_back(shell("sleep 1000 & sleep 1000", 1));
        run_with_state(p);
        EXPECT_NE(failure.find("did not end within 1 s and was killed"), std::string::npos) << failure;
    }
}

TEST_P(Hooks, OneThatCannotBeRunSaysWhy) {
    LaunchPlan p = plan(GetParam(), "true");
    p.hooks.create_runtime = {{.path = "/no/such/hook", .args = {}, .env = {}, .timeout = 0}};
    run_with_state(p);
    EXPECT_EQ(failure,
              "error running createRuntime hook #0 '/no/such/hook': it could not be run: No such file or "
              "directory");
}

class RunHooks : public ::testing::Test {};

TEST(RunHooks, AStateThatNobodyReadsIsNoError) {
    std::string large(1 << 20, 'x');
    Result<> done = run_hooks("poststart", {shell("exec true"), shell("exec <&-; exit 0")}, large);
    EXPECT_TRUE(done) << done.error().text;
    done = run_hooks("poststart", {shell("[ $(wc -c) = 1048576 ]")}, large);
    EXPECT_TRUE(done) << done.error().text;
}

TEST(RunHooks, EnvironmentAndArgumentsAreTheGivenOnesAlone) {
    setenv("CROFT_HOOK_TEST", "leaks", 1);
    Result<> done =
        run_hooks("poststop",
                  {{.path = "/bin/sh",
                    .args = {"zero", "-c",
                             "[ \"$0\" = one ] && [ -z \"$CROFT_HOOK_TEST\" ] && [ \"$A\" = 'b c' ]", "one"},
                    .env = {"A=b c"},
                    .timeout = 0}},
                  "");
    EXPECT_TRUE(done) << done.error().text;
    unsetenv("CROFT_HOOK_TEST");
    done = run_hooks("poststop", {{.path = "/bin/true", .args = {}, .env = {}, .timeout = 0}}, "");
    EXPECT_TRUE(done) << done.error().text;
}

TEST(RunHooks, NoDescriptorOfTheCallersReachesThem) {
    Fd extra = std::move(open_at(AT_FDCWD, "/etc", O_RDONLY | O_DIRECTORY).value());
    ASSERT_EQ(fcntl(extra.get(), F_SETFD, 0), 0);
    Result<> done = run_hooks("poststop", {shell(cat("[ ! -e /proc/self/fd/", extra.get(), " ]"))}, "");
    EXPECT_TRUE(done) << done.error().text;
}

TEST(RunHooks, AnsweredByWhatTheyEndWith) {
    EXPECT_NE(run_hooks("poststop", {shell("kill -TERM $$")}, "").error().text.find("killed by SIGTERM"),
              std::string::npos);
    EXPECT_NE(run_hooks("poststop", {shell("exit 200")}, "").error().text.find("status 200"),
              std::string::npos);
}

}  // namespace
}  // namespace croft::run::testing
