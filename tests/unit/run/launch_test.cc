// Real launches: what a payload is, has and sees, with and without a user namespace.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "machine.h"

namespace croft::run::testing {
namespace {

using namespace launch;

class Launch : public Machine, public ::testing::WithParamInterface<Users> {};
INSTANTIATE_TEST_SUITE_P(Users, Launch, ::testing::Values(Users::host, Users::own),
                         [](const auto& users) { return users.param == Users::host ? "host" : "own"; });

TEST_P(Launch, PassesTheExitStatus) {
    EXPECT_EQ(run(plan(GetParam(), "echo hello; exit 7")), "hello\n") << failure;
    EXPECT_EQ(outcome.kind, Outcome::Kind::exited);
    EXPECT_EQ(outcome.status, 7);
}

TEST_P(Launch, IsProcessOneOfItsOwnNamespaces) {
    std::string text = run(
        plan(GetParam(),
             "echo $$; hostname; for n in pid net ipc uts mnt cgroup; do readlink /proc/self/ns/$n; done"));
    std::vector<std::string> lines = split(text, '\n');
    ASSERT_GE(lines.size(), 8u) << text << failure;
    EXPECT_EQ(lines[0], "1");
    EXPECT_EQ(lines[1], "test");
    size_t line = 2;
    for (const char* name : {"pid", "net", "ipc", "uts", "mnt", "cgroup"})
        EXPECT_NE(lines[line++], own_namespace(name)) << name;
}

TEST_P(Launch, SeesNoProcessAndNoMountOfTheHost) {
    std::string text = run(plan(GetParam(), "ls /proc | grep -c '^[0-9][0-9]*$'; cat /proc/self/mountinfo"));
    // sh, ls, grep: the shell forks for a pipe.
    EXPECT_LE(parse_uint(split(text, '\n')[0]).value_or(99), 3u) << text;
    // Its own root, dev, proc, sys and pts, and that is all.
    EXPECT_EQ(split(text, '\n').size(), 1u + 5u + 1u) << text;
}

TEST_P(Launch, IsAloneInItsCgroup) {
    std::string text = run(plan(GetParam(), "cat /proc/self/cgroup"));
    // A cgroup namespace rooted where the payload is.
    EXPECT_NE(text.find("0::/\n"), text.npos) << text;
}

TEST_P(Launch, LeaksNoDescriptor) {
    Fd extra = std::move(open_at(AT_FDCWD, "/etc", O_RDONLY | O_DIRECTORY).value());
    ASSERT_EQ(fcntl(extra.get(), F_SETFD, 0), 0);  // as a careless caller would
    LaunchPlan p = plan(GetParam(), "");
    p.process.argv = {"ls", "/proc/self/fd"};
    EXPECT_EQ(run(p), "0\n1\n2\n3\n") << failure;  // the last one is the directory that ls reads
}

TEST_P(Launch, HasNoIgnoredAndNoBlockedSignal) {
    struct sigaction ignore = {}, before_hup, before_pipe;
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGHUP, &ignore, &before_hup);
    sigaction(SIGPIPE, &ignore, &before_pipe);
    std::string text = run(plan(GetParam(), "exec cat /proc/self/status"));
    sigaction(SIGHUP, &before_hup, nullptr);
    sigaction(SIGPIPE, &before_pipe, nullptr);
    EXPECT_NE(text.find("SigBlk:\t0000000000000000"), text.npos) << text;
    EXPECT_NE(text.find("SigIgn:\t0000000000000000"), text.npos) << text;
}

TEST_P(Launch, TellsOfACommandThatIsNotThere) {
    LaunchPlan p = plan(GetParam(), "");
    p.process.argv = {"no-such-command"};
    run(p);
    EXPECT_NE(failure.find("no-such-command"), failure.npos) << failure;
    p.process.argv = {"/bin/neither"};
    Result<Launched> launched = launch(p, environment());
    ASSERT_FALSE(launched);
    EXPECT_EQ(launched.error().code, Errc::no_command) << launched.error().text;
}

TEST_P(Launch, TellsOfACommandThatCannotBeExecuted) {
    put_file("/bin/text", "no program\n", 0644);
    LaunchPlan p = plan(GetParam(), "");
    for (const char* command : {"/bin/text", "text"}) {
        p.process.argv = {command};
        Result<Launched> launched = launch(p, environment());
        ASSERT_FALSE(launched);
        EXPECT_EQ(launched.error().code, Errc::not_executable) << launched.error().text;
    }
}

TEST_P(Launch, RefusesADirectoryAsStream) {
    LaunchEnvironment e = environment();
    Fd directory = std::move(open_at(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY).value());
    e.stdio[0] = directory.get();
    Result<Launched> launched = launch(plan(GetParam(), "true"), e);
    ASSERT_FALSE(launched);
    EXPECT_NE(launched.error().text.find("directory of the host"), std::string::npos)
        << launched.error().text;
}

TEST_P(Launch, StartsInItsDirectoryAsItsUser) {
    LaunchPlan p = plan(GetParam(), "pwd; id -u; id -g; id -G; umask");
    p.process.directory = "/tmp";
    p.process.uid = 1000, p.process.gid = 100, p.process.groups = {7, 8}, p.process.umask = 0027;
    p.process.cap_effective = 0;
    EXPECT_EQ(run(p), "/tmp\n1000\n100\n100 7 8\n0027\n") << failure;
}

TEST_P(Launch, RefusesADirectoryThatLeadsOut) {
    LaunchPlan p = plan(GetParam(), "pwd");
    p.process.directory = "/proc/self/fd/3";
    run(p);
    EXPECT_NE(failure, "");
}

TEST_P(Launch, HasTheCapabilitiesItWasGiven) {
    LaunchPlan p = plan(GetParam(), "exec cat /proc/self/status");
    p.process.cap_bounding = p.process.cap_effective = 0x1ff;
    std::string text = run(p);
    for (const char* set : {"CapBnd", "CapEff", "CapPrm"})
        EXPECT_NE(text.find(cat(set, ":\t00000000000001ff")), text.npos) << text;
    p.process.uid = 5;
    p.process.cap_effective = p.process.cap_inheritable = p.process.cap_ambient = 0x20;
    text = run(p);
    EXPECT_NE(text.find("CapAmb:\t0000000000000020"), text.npos) << text << failure;
    EXPECT_NE(text.find("CapEff:\t0000000000000020"), text.npos) << text;
}

TEST_P(Launch, HasItsLimits) {
    LaunchPlan p = plan(GetParam(), "ulimit -n; ulimit -c");
    p.process.rlimits = {{.resource = 7, .soft = 64, .hard = 128}, {.resource = 4, .soft = 0, .hard = 0}};
    EXPECT_EQ(run(p), "64\n0\n") << failure;
}

TEST_P(Launch, TakesItsOomScoreAndGivesItBackToNobody) {
    LaunchPlan p = plan(GetParam(), "cat /proc/self/oom_score_adj");
    p.process.oom_score_adjust = 321;
    std::string before = std::move(read_file_at(AT_FDCWD, "/proc/self/oom_score_adj").value());
    EXPECT_EQ(run(p), "321\n") << failure;
    EXPECT_EQ(std::move(read_file_at(AT_FDCWD, "/proc/self/oom_score_adj").value()), before);
}

TEST_P(Launch, NoNewPrivileges) {
    LaunchPlan p = plan(GetParam(), "grep NoNewPrivs /proc/self/status");
    EXPECT_EQ(run(p), "NoNewPrivs:\t0\n") << failure;
    p.process.no_new_privileges = true;
    EXPECT_EQ(run(p), "NoNewPrivs:\t1\n") << failure;
}

TEST_P(Launch, FilterIsLoadedWithoutPrivilegesLeft) {
    // mkdir fails with EXDEV, everything else is allowed.
    const sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    LaunchPlan p = plan(GetParam(), "mkdir /tmp/x; exit $?");
    p.process.cap_bounding = p.process.cap_effective = 0x2;
    for (uint32_t uid : {0u, 1000u}) {
        p.process.uid = uid;
        if (uid) p.process.cap_effective = 0;
        LaunchEnvironment e = environment();
        Fd null = std::move(open_at(AT_FDCWD, "/dev/null", O_RDWR).value());
        e.stdio[0] = e.stdio[1] = e.stdio[2] = null.get();
        e.seccomp = {reinterpret_cast<const char*>(filter), sizeof filter};
        Result<Launched> launched = launch(p, e);
        ASSERT_TRUE(launched) << launched.error().text;
        EXPECT_EQ(wait(*launched).status, 1);
        remove_cgroup(*launched);
    }
}

TEST_P(Launch, ReportsSignalsAndReboots) {
    run(plan(GetParam(), "kill -9 $$; exit 3"));
    // PID 1 cannot kill itself: the kernel drops it.
    EXPECT_EQ(outcome.status, 3);
    LaunchPlan p = plan(GetParam(), "exec sleep 100");
    Result<Launched> launched = launch(p, environment());
    ASSERT_TRUE(launched) << launched.error().text;
    kill(launched->pid, SIGKILL);
    Outcome o = wait(*launched);
    EXPECT_EQ(o.kind, Outcome::Kind::signalled);
    EXPECT_EQ(o.status, SIGKILL);
    remove_cgroup(*launched);
}

TEST_P(Launch, InitReapsForwardsAndKeepsTheStatus) {
    LaunchPlan p = plan(GetParam(), "echo $$; trap 'echo got; exit 5' TERM; echo ready; sleep 100 & wait");
    p.process.init = true;
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    Fd output(ends[0]), input(ends[1]);
    LaunchEnvironment e = environment();
    e.stdio[1] = input.get();
    Result<Launched> launched = launch(p, e);
    ASSERT_TRUE(launched) << launched.error().text;
    input.reset();
    std::string text;
    char byte;
    while (!text.ends_with("ready\n") && read(output.get(), &byte, 1) == 1) text += byte;
    EXPECT_EQ(text, "2\nready\n");
    kill(launched->pid, SIGTERM);
    EXPECT_EQ(wait(*launched).status, 5);
    EXPECT_EQ(read_output(output.get()), "got\n");
    remove_cgroup(*launched);
}

TEST_P(Launch, InitTellsOfACommandThatIsNotThere) {
    LaunchPlan p = plan(GetParam(), "");
    p.process.init = true;
    p.process.argv = {"no-such-command"};
    Result<Launched> launched = launch(p, environment());
    ASSERT_FALSE(launched);
    EXPECT_EQ(launched.error().code, Errc::no_command) << launched.error().text;
}

TEST_P(Launch, NeverShowsTheHostsProgramAsItsOwn) {
    // CVE-2019-5736: a command that is a link to /proc/self/exe executes whatever is executing it. croft must
    // not be that where the payload could write to it; what it gets is croft-init, on a mount that is
    // read-only.
    ASSERT_EQ(symlink("/proc/self/exe", (tree + "/bin/self").c_str()), 0);
    if (GetParam() == Users::own) return;  // root of that namespace owns no file of the host
    LaunchPlan p = plan(GetParam(), "");
    // A report to nobody, because without one croft-init executes nothing (CroftInitIsTheLaunchersOnly).
    p.process.argv = {"/bin/self", "--report=99", "--", "sh", "-c",
                      "readlink /proc/1/exe; (: >> /proc/1/exe) 2>/dev/null && echo writable; :"};
    // The mount is of croft-init alone, so its root is all the path there is.
    EXPECT_EQ(run(p), "/\n") << failure;
}

TEST_P(Launch, CroftInitIsTheLaunchersOnly) {
    // A script that is read by /proc/self/exe was executed by one croft-init after the other, for ever.
    if (GetParam() == Users::own) return;  // there /proc/self/exe is another program
    put_file("/bin/script", "#!/proc/self/exe\n", 0755);
    ASSERT_EQ(symlink("/proc/self/exe", (tree + "/bin/self").c_str()), 0);
    for (std::vector<std::string> argv : {std::vector<std::string>{"/bin/script"}, {"/bin/self"}, {"/bin/self", "--", "sh"}}) {
        LaunchPlan p = plan(GetParam(), "");
        p.process.argv = argv;
        EXPECT_NE(run(p).find("which only croft's launcher can use"), std::string::npos) << failure;
        EXPECT_EQ(outcome.status, 126) << argv[0];
    }
}

TEST_P(Launch, PayloadDiesWithItsLauncher) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    Fd output(ends[0]), input(ends[1]);
    pid_t child = fork();
    if (child == 0) {
        LaunchEnvironment e = environment();
        e.stdio[1] = input.get();
        Result<Launched> launched = launch(plan(GetParam(), "echo up; exec sleep 1000"), e);
        if (!launched) _exit(1);
        for (;;) pause();
    }
    input.reset();
    char byte;
    ASSERT_EQ(read(output.get(), &byte, 1), 1);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    EXPECT_EQ(read_output(output.get()), "p\n");  // ends when the payload is gone
    clear_cgroup();
}

}  // namespace
}  // namespace croft::run::testing
