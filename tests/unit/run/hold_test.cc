// croft-hold: the tiny parent of a detached machine.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "machine.h"
#include "run/hold.h"
#include "run/hold_protocol.h"

namespace croft::run::testing {
namespace {

using namespace launch;

class Hold : public Machine {
  protected:
    void SetUp() override {
        Machine::SetUp();
        if (IsSkipped()) return;
        ASSERT_EQ(mkdir((run_path + "/machine").c_str(), 0755), 0);
        // Stands for croft: notes what it was called for.
        called = run_path + "/called";
        croft = run_path + "/croft";
        Fd script = std::move(open_at(AT_FDCWD, croft.c_str(), O_WRONLY | O_CREAT, 0755).value());
        ASSERT_TRUE(write_all(script.get(), cat("#!/bin/sh\necho \"$@\" > ", called, ".new; mv ", called,
                                                ".new ", called, "\n")));
    }
    void TearDown() override {
        if (holder > 0) {
            int status = 0;
            EXPECT_EQ(waitpid(holder, &status, 0), holder);
        }
        Machine::TearDown();
    }
    // Launches in a child, which becomes croft-hold.
    void start(const LaunchPlan& p, bool boot = false, bool cleanup = false, uint64_t log_limit = 1 << 20) {
        holder = fork();
        ASSERT_GE(holder, 0);
        if (holder) return;
        int out[2], err[2];
        if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) _exit(1);
        LaunchEnvironment e = environment();
        e.stdio[0] = -1, e.stdio[1] = out[1], e.stdio[2] = err[1];
        Result<Launched> launched = launch(p, e);
        if (!launched) {
            fprintf(stderr, "%s\n", launched.error().text.c_str());
            _exit(2);
        }
        close(out[1]), close(err[1]);
        HoldOptions o;
        o.name = "test", o.helper_directory = CROFT_TEST_HELPERS, o.croft = croft;
        o.directory =
            std::move(open_at(AT_FDCWD, (run_path + "/machine").c_str(), O_RDONLY | O_DIRECTORY).value());
        if (!p.process.terminal) o.output = Fd(out[0]), o.errors = Fd(err[0]);
        o.log_limit = log_limit, o.boot = boot, o.has_cleanup = cleanup;
        Error failed = become_hold(std::move(*launched), std::move(o));
        fprintf(stderr, "%s\n", failed.text.c_str());
        _exit(3);
    }
    std::string file(const std::string& name) const {
        Result<std::string> text = read_file_at(AT_FDCWD, cat(run_path, "/machine/", name).c_str());
        return text ? *text : "";
    }
    // Polls: what is waited for here is another process's doing.
    bool wait_for_file(const std::string& path) const {
        for (int tries = 0; tries < 500 && !exists_at(AT_FDCWD, path.c_str()); ++tries) poll(nullptr, 0, 10);
        return exists_at(AT_FDCWD, path.c_str());
    }
    bool wait_for_log(std::string_view text) const {
        for (int tries = 0; tries < 500 && file("log").find(text) == std::string::npos; ++tries)
            poll(nullptr, 0, 10);
        return file("log").find(text) != std::string::npos;
    }
    Fd directory() const {
        return std::move(open_at(AT_FDCWD, (run_path + "/machine").c_str(), O_RDONLY | O_DIRECTORY).value());
    }
    pid_t leader() const {
        std::string children = std::move(
            read_file_at(AT_FDCWD, cat("/proc/", holder, "/task/", holder, "/children").c_str()).value());
        return static_cast<pid_t>(parse_int(trim(children)).value_or(-1));
    }

    std::string croft, called;
    pid_t holder = -1;
};

TEST_F(Hold, RecordsOutputAndExitAndRemovesTheCgroup) {
    start(plan(Users::own, "echo out; echo err >&2; exit 5"));
    ASSERT_TRUE(wait_for_file(run_path + "/machine/exit"));
    std::vector<std::string> words = split(file("exit"), ' ');
    ASSERT_EQ(words.size(), 3u);
    EXPECT_EQ(words[0], cat(int{CLD_EXITED}));
    EXPECT_EQ(words[1], "5");
    EXPECT_NE(file("log").find("out\n"), std::string::npos);
    EXPECT_NE(file("log").find("err\n"), std::string::npos);
    EXPECT_FALSE(exists_at(AT_FDCWD, cat(cgroup_mount, "/", cgroup).c_str()));
    EXPECT_FALSE(exists_at(AT_FDCWD, called.c_str()));
}

TEST_F(Hold, StaysTiny) {
    start(plan(Users::own, "echo up; exec sleep 1000"));
    ASSERT_TRUE(wait_for_log("up"));
    std::string rollup =
        std::move(read_file_at(AT_FDCWD, cat("/proc/", holder, "/smaps_rollup").c_str()).value());
    size_t at = rollup.find("Private_Dirty:");
    ASSERT_NE(at, rollup.npos);
    auto kib = parse_uint(trim(rollup.substr(at + 14, rollup.find("kB", at) - at - 14)));
    ASSERT_TRUE(kib) << rollup;
    EXPECT_LE(*kib, 64u);
    std::printf("croft-hold: %d KiB private dirty\n", static_cast<int>(*kib));
    kill(leader(), SIGKILL);
}

TEST_F(Hold, KeepsTheLogSmall) {
    start(plan(Users::own, "seq 30000"), false, false, 16384);
    ASSERT_TRUE(wait_for_file(run_path + "/machine/exit"));
    EXPECT_LE(file("log").size(), 16384u + 8192u);
    EXPECT_TRUE(exists_at(AT_FDCWD, (run_path + "/machine/log.1").c_str()));
    EXPECT_NE(file("log").find("30000\n"), std::string::npos);
}

TEST_F(Hold, PassesSigtermOnAsTheStopSignal) {
    start(plan(Users::own, "trap 'exit 8' TERM; echo up; while :; do sleep 0.01; done"));
    ASSERT_TRUE(wait_for_log("up"));
    kill(holder, SIGTERM);
    ASSERT_TRUE(wait_for_file(run_path + "/machine/exit"));
    EXPECT_TRUE(file("exit").starts_with(cat(int{CLD_EXITED}, " 8 "))) << file("exit");
}

TEST_F(Hold, ARebootIsARelaunch) {
    LaunchPlan p = plan(Users::host, "exec reboot -f");
    start(p, true);
    ASSERT_TRUE(wait_for_file(called));
    EXPECT_EQ(std::move(read_file_at(AT_FDCWD, called.c_str()).value()), "_relaunch test\n");
    clear_cgroup();
}

TEST_F(Hold, CallsForCleanup) {
    start(plan(Users::own, "true"), false, true);
    ASSERT_TRUE(wait_for_file(called));
    EXPECT_EQ(std::move(read_file_at(AT_FDCWD, called.c_str()).value()), "_cleanup test\n");
    EXPECT_NE(file("exit"), "");
}

TEST_F(Hold, RemovesNestedCgroups) {
    LaunchPlan p = plan(Users::host, "mount -t cgroup2 none /tmp && mkdir -p /tmp/a/b /tmp/c && echo made");
    p.cgroup.payload = "payload";
    start(p);
    ASSERT_TRUE(wait_for_file(run_path + "/machine/exit"));
    EXPECT_EQ(file("log"), "made\n");
    EXPECT_FALSE(exists_at(AT_FDCWD, cat(cgroup_mount, "/", cgroup).c_str()));
}

TEST_F(Hold, HandsTheConsoleToOneAtATime) {
    LaunchPlan p = plan(Users::own, "echo first; read x; echo got $x; read y; exit 4");
    p.process.terminal = true;
    p.inside.push_back(OpenConsole{});
    start(p);
    ASSERT_TRUE(wait_for_log("first"));
    Fd dir = directory();
    Fd one = std::move(connect_attach(dir.get()).value());
    Fd console = std::move(receive_console(one.get()).value());
    Fd two = std::move(connect_attach(dir.get()).value());
    Result<Fd> refused = receive_console(two.get());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::busy);
    // The console is ours alone now.
    ASSERT_TRUE(write_all(console.get(), "word\n"));
    std::string text;
    char part[256];
    while (text.find("got word") == text.npos) {
        pollfd readable = {console.get(), POLLIN, 0};
        ASSERT_GT(poll(&readable, 1, 5000), 0) << text;
        ssize_t n = read(console.get(), part, sizeof part);
        if (n > 0) text.append(part, static_cast<size_t>(n));
    }
    EXPECT_EQ(file("log").find("got word"), std::string::npos);
    ASSERT_TRUE(write_all(console.get(), "more\n"));
    // The end is told, with how it ended.
    char message[1 + sizeof(HoldExit)];
    ASSERT_EQ(recv(one.get(), message, sizeof message, 0), static_cast<ssize_t>(sizeof message));
    HoldExit end;
    memcpy(&end, message + 1, sizeof end);
    EXPECT_EQ(message[0], hold_exit);
    EXPECT_EQ(end.code, CLD_EXITED);
    EXPECT_EQ(end.status, 4);
}

TEST_F(Hold, DrainsAgainAfterADetach) {
    LaunchPlan p = plan(Users::own, "echo first; read x; echo got $x; exec sleep 1000");
    p.process.terminal = true;
    p.inside.push_back(OpenConsole{});
    start(p);
    ASSERT_TRUE(wait_for_log("first"));
    {
        Fd dir = directory();
        Fd one = std::move(connect_attach(dir.get()).value());
        Fd console = std::move(receive_console(one.get()).value());
        ASSERT_TRUE(write_all(console.get(), "word\n"));
    }
    EXPECT_TRUE(wait_for_log("got word"));
    kill(leader(), SIGKILL);
}

}  // namespace
}  // namespace croft::run::testing
