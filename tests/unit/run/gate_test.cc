// A payload that is ready and waits: who opens the gate, what is told then, and what is left when nobody
// does.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/text.h"
#include "machine.h"
#include "run/gate.h"
#include "run/hooks.h"

namespace croft::run::testing {
namespace {

using namespace launch;

class GateTest : public Machine, public ::testing::WithParamInterface<Users> {
  protected:
    LaunchPlan waiting(const std::string& script) const {
        LaunchPlan p = plan(GetParam(), script);
        p.process.wait_start = true;
        p.process.parent_death_signal = 0;
        return p;
    }
    // As `create`: when it returns nobody but the payload's process holds the gate.
    Result<Launched> create(const LaunchPlan& p, int out = -1) {
        Gate gate = TRY(make_gate(run_directory.get()));
        LaunchEnvironment e = environment();
        e.gate = gate.gate.get(), e.gate_answer = gate.answer.get();
        e.stdio[0] = -1;
        if (out >= 0) e.stdio[1] = e.stdio[2] = out;
        e.state = [](pid_t pid, std::string_view status) {
            return cat("{\"pid\":", pid, ",\"status\":\"", status, "\"}");
        };
        e.root_path = tree;
        return launch(p, e);
    }
    void end(Launched& launched) {
        undo(launched);
        remove_gate(run_directory.get());
    }
    std::string state_of(pid_t pid) const {
        Result<std::string> text = read_file_at(AT_FDCWD, cat("/proc/", pid, "/comm").c_str());
        return text ? std::string(trim(*text)) : "gone";
    }
};
INSTANTIATE_TEST_SUITE_P(Users, GateTest, ::testing::Values(Users::host, Users::own),
                         [](const auto& users) { return users.param == Users::host ? "host" : "own"; });

TEST_P(GateTest, ThePayloadWaitsAndGoesOnWhenItIsOpened) {
    Pipe pipe = std::move(make_pipe().value());
    LaunchPlan p = waiting("echo ran; hostname; exit 5");
    Result<Launched> made = create(p, pipe.write.get());
    pipe.write.reset();
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ(state_of(made->pid), "croft-init");
    EXPECT_TRUE(waits_at_gate(run_directory.get()));
    Result<> opened = open_gate(run_directory.get(), p);
    EXPECT_TRUE(opened) << opened.error().text;
    EXPECT_EQ(read_output(pipe.read.get()), "ran\ntest\n");
    EXPECT_EQ(wait(*made).status, 5);
    end(*made);
}

TEST_P(GateTest, NothingOfOursIsInThePayload) {
    Pipe pipe = std::move(make_pipe().value());
    LaunchPlan p = waiting("");
    p.process.argv = {"ls", "/proc/self/fd"};
    p.hooks.start_container = {
        {.path = "/bin/sh", .args = {"sh", "-c", "ls /proc/self/fd"}, .env = {}, .timeout = 0}};
    Result<Launched> made = create(p, pipe.write.get());
    pipe.write.reset();
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_TRUE(open_gate(run_directory.get(), p));
    EXPECT_EQ(read_output(pipe.read.get()), "0\n1\n2\n3\n0\n1\n2\n3\n");
    wait(*made);
    end(*made);
}

TEST_P(GateTest, WhoWaitsIsNotThisProgram) {
    LaunchPlan p = waiting("exec sleep 1000");
    Result<Launched> made = create(p);
    ASSERT_TRUE(made) << made.error().text;
    char exe[256] = {};
    ASSERT_GT(readlink(cat("/proc/", made->pid, "/exe").c_str(), exe, sizeof exe - 1), 0);
    EXPECT_STREQ(exe, "/") << "croft-init, from a mount of its own";
    EXPECT_FALSE(open_at(AT_FDCWD, cat("/proc/", made->pid, "/exe").c_str(), O_WRONLY));
    end(*made);
}

TEST_P(GateTest, ACommandThatIsNotThereIsToldBeforeTheGate) {
    put_file("/bin/text", "no program\n", 0644);
    LaunchPlan p = waiting("");
    for (const auto& [command, code] : {std::pair{"no-such-command", Errc::no_command},
                                        {"/bin/neither", Errc::no_command},
                                        {"text", Errc::not_executable},
                                        {"/bin/text", Errc::not_executable},
                                        {"/bin", Errc::not_executable}}) {
        p.process.argv = {command};
        Result<Launched> made = create(p);
        ASSERT_FALSE(made) << command;
        EXPECT_EQ(made.error().code, code) << made.error().text;
    }
}

TEST_P(GateTest, WhatExecRefusesIsToldToWhoOpens) {
    put_file("/bin/empty", "", 0755);
    put_file("/bin/script", "#!/no/such/shell\n", 0755);
    for (const auto& [command, err] : {std::pair{"/bin/empty", ENOEXEC}, {"script", ENOENT}}) {
        LaunchPlan p = waiting("");
        p.process.argv = {command};
        Result<Launched> made = create(p);
        ASSERT_TRUE(made) << made.error().text;
        Result<> opened = open_gate(run_directory.get(), p);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().err, err) << opened.error().text;
        wait(*made);
        end(*made);
    }
}

TEST_P(GateTest, OnlyOneOfManyOpensIt) {
    LaunchPlan p = waiting("exec sleep 1000");
    Result<Launched> made = create(p);
    ASSERT_TRUE(made) << made.error().text;
    std::vector<std::thread> threads;
    std::vector<Errc> refused(8, Errc::failed);
    std::atomic<int> count = 0;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&, i] {
            Result<> one = open_gate(run_directory.get(), p);
            one ? void(++count) : void(refused[static_cast<size_t>(i)] = one.error().code);
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(count, 1);
    EXPECT_EQ(std::ranges::count(refused, Errc::wrong_state), 7);
    EXPECT_FALSE(waits_at_gate(run_directory.get()));
    end(*made);
}

TEST_P(GateTest, AProcessThatHasEndedCannotBeStarted) {
    LaunchPlan p = waiting("true");
    Result<Launched> made = create(p);
    ASSERT_TRUE(made) << made.error().text;
    kill(made->pid, SIGKILL);
    wait(*made);
    Result<> opened = open_gate(run_directory.get(), p);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::wrong_state) << opened.error().text;
    EXPECT_FALSE(waits_at_gate(run_directory.get()));
    end(*made);
}

TEST_P(GateTest, AGateThatIsNotGivenIsAnError) {
    Result<Launched> made = launch(waiting("true"), environment());
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().text.find("gate"), std::string::npos);
}

TEST_P(GateTest, StartHooksRunInTheMachineBeforeThePayload) {
    Pipe pipe = std::move(make_pipe().value());
    LaunchPlan p = waiting("echo payload");
    p.hooks.start_container = {
        {.path = "/bin/sh",
         .args = {"sh", "-c", "echo $0-$A; hostname; cat; echo", "hook"},
         .env = {"A=b c", "PATH=/bin"},
         .timeout = 5},
        {.path = "/bin/sh", .args = {"sh", "-c", "env | /bin/grep -c .; :"}, .env = {}, .timeout = 0}};
    Result<Launched> made = create(p, pipe.write.get());
    pipe.write.reset();
    ASSERT_TRUE(made) << made.error().text;
    Result<> opened = open_gate(run_directory.get(), p);
    EXPECT_TRUE(opened) << opened.error().text;
    std::string text = read_output(pipe.read.get());
    EXPECT_TRUE(text.starts_with("hook-b c\ntest\n{\"pid\":1,\"status\":\"created\"}\n")) << text;
    EXPECT_TRUE(text.ends_with("payload\n")) << text;
    wait(*made);
    end(*made);
}

TEST_P(GateTest, AStartHookThatFailsEndsTheMachine) {
    for (const auto& [script, timeout, words] :
         {std::tuple{"exit 3", 0u, "hook #1 '/bin/sh': it exited with status 3"},
          {"kill -9 $$", 0u, "killed by SIGKILL"},
          {"sleep 1000", 1u, "did not end in its time"}}) {
        LaunchPlan p = waiting("exec sleep 1000");
        p.hooks.start_container = {
            {.path = "/bin/true", .args = {}, .env = {}, .timeout = 0},
            {.path = "/bin/sh", .args = {"sh", "-c", script}, .env = {"PATH=/bin"}, .timeout = timeout}};
        Result<Launched> made = create(p);
        ASSERT_TRUE(made) << made.error().text;
        Result<> opened = open_gate(run_directory.get(), p);
        ASSERT_FALSE(opened);
        EXPECT_NE(opened.error().text.find(words), std::string::npos) << opened.error().text;
        EXPECT_EQ(wait(*made).status, 125);
        end(*made);
    }
}

}  // namespace
}  // namespace croft::run::testing
