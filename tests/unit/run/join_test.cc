// A second process in a machine that runs.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "machine.h"
#include "run/join.h"

namespace croft::run::testing {
namespace {

using namespace launch;

class Join : public Machine, public ::testing::WithParamInterface<Users> {
  protected:
    void SetUp() override {
        Machine::SetUp();
        if (IsSkipped()) return;
        machine_plan = plan(GetParam(), "exec sleep 1000");
        Result<Launched> launched = launch(machine_plan, environment());
        ASSERT_TRUE(launched) << launched.error().text;
        machine = std::move(*launched);
    }
    void TearDown() override {
        if (machine.pid > 0) {
            kill(machine.pid, SIGKILL);
            wait(machine);
            remove_cgroup(machine);
            machine = {};
        }
        Machine::TearDown();
    }
    // A plan as `croft exec` makes it.
    LaunchPlan command(const std::string& script) const {
        LaunchPlan p;
        p.name = machine_plan.name;
        p.process = machine_plan.process;
        p.process.argv = {"sh", "-c", script};
        return p;
    }
    JoinRequest request() const { return {machine.pid, machine.pidfd.get(), machine_plan.new_namespaces}; }
    std::string exec(const LaunchPlan& p) {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        Fd output(ends[0]), input(ends[1]);
        LaunchEnvironment e = environment();
        e.stdio[1] = e.stdio[2] = input.get();
        Result<Launched> joined = join(request(), p, e);
        input.reset();
        failure = joined ? "" : joined.error().text;
        if (!joined) return "";
        std::string text = read_output(output.get());
        outcome = wait(*joined);
        return text;
    }
    std::string leader_link(const char* name) const {
        char text[256] = {};
        [[maybe_unused]] ssize_t n =
            readlink(cat("/proc/", machine.pid, "/ns/", name).c_str(), text, sizeof text - 1);
        return text;
    }

    LaunchPlan machine_plan;
    Launched machine;
};
INSTANTIATE_TEST_SUITE_P(Users, Join, ::testing::Values(Users::host, Users::own),
                         [](const auto& users) { return users.param == Users::host ? "host" : "own"; });

TEST_P(Join, PassesTheExitStatusAndStreams) {
    EXPECT_EQ(exec(command("echo out; exit 9")), "out\n") << failure;
    EXPECT_EQ(outcome.status, 9);
}

TEST_P(Join, IsInEveryNamespaceOfTheLeader) {
    std::string text =
        exec(command("for n in pid net ipc uts mnt cgroup user; do readlink /proc/self/ns/$n; done"));
    std::vector<std::string> lines = split(text, '\n');
    ASSERT_EQ(lines.size(), 8u) << text << failure;
    size_t line = 0;
    for (const char* name : {"pid", "net", "ipc", "uts", "mnt", "cgroup", "user"})
        EXPECT_EQ(lines[line++], leader_link(name)) << name;
}

TEST_P(Join, IsInTheLeadersCgroupAndRoot) {
    EXPECT_EQ(exec(command("cat /proc/self/cgroup | grep ^0; ls -di / /proc/1/root/. | while read i x; do "
                           "echo $i; done"))
                  .substr(0, 5),
              "0::/\n")
        << failure;
    std::string text = exec(
        command("a=$(stat -c %d:%i /); b=$(stat -c %d:%i /proc/1/root/); [ $a = $b ] && echo same; pwd"));
    EXPECT_EQ(text, "same\n/\n");
}

TEST_P(Join, LeavesTheCallerWhereItIs) {
    std::string before = own_namespace("user") + own_namespace("mnt") + own_namespace("pid_for_children");
    exec(command("true"));
    EXPECT_EQ(own_namespace("user") + own_namespace("mnt") + own_namespace("pid_for_children"), before);
    EXPECT_EQ(geteuid(), 0u);
}

TEST_P(Join, TakesItsUserDirectoryAndCapabilities) {
    LaunchPlan p = command("id -u; pwd; grep CapEff /proc/self/status");
    p.process.uid = 77, p.process.gid = 78;
    p.process.directory = "/tmp";
    p.process.cap_effective = 0;
    EXPECT_EQ(exec(p), "77\n/tmp\nCapEff:\t0000000000000000\n") << failure;
}

TEST_P(Join, GetsATerminalOfTheMachine) {
    LaunchPlan p = command("tty; stty size; exit 4");
    p.process.terminal = true;
    p.inside.push_back(OpenConsole{.console = false, .rows = 33, .columns = 99});
    Result<Launched> joined = join(request(), p, environment());
    ASSERT_TRUE(joined) << joined.error().text;
    ASSERT_TRUE(joined->console);
    EXPECT_EQ(wait(*joined).status, 4);
    char text[256];
    ssize_t n = read(joined->console.get(), text, sizeof text);
    EXPECT_EQ(std::string(text, n > 0 ? static_cast<size_t>(n) : 0).substr(0, 12), "/dev/pts/0\r\n");
}

TEST_P(Join, RunsOnTheCpusThatAreAskedFor) {
    cpu_set_t before, after;
    ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    LaunchPlan p = command("grep Cpus_allowed_list /proc/self/status");
    p.process.exec_affinity_initial = {0};
    EXPECT_EQ(exec(p), "Cpus_allowed_list:\t0\n") << failure;
    if (CPU_COUNT(&before) > 1) {
        p.process.exec_affinity_final = {1};
        EXPECT_EQ(exec(p), "Cpus_allowed_list:\t1\n") << failure;
    }
    p.process.exec_affinity_initial = {8191};
    exec(p);
    EXPECT_NE(failure.find("CPU affinity"), failure.npos) << failure;
    ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
    EXPECT_TRUE(CPU_EQUAL(&before, &after)) << "the caller itself stays where it was";
}

TEST_P(Join, LivesInTheGroupThatIsAskedFor) {
    if (cgroup_mount.empty()) GTEST_SKIP() << "no cgroup2 is mounted here";
    const std::string below = cat(cgroup_mount, "/", cgroup, "/below");
    ASSERT_EQ(mkdir(below.c_str(), 0755), 0);
    LaunchPlan p = command("cat /proc/self/cgroup | grep ^0");
    JoinRequest where = request();
    where.group = cgroup + "/below";
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    Fd output(ends[0]), input(ends[1]);
    LaunchEnvironment e = environment();
    e.stdio[1] = input.get();
    Result<Launched> joined = join(where, p, e);
    input.reset();
    ASSERT_TRUE(joined) << joined.error().text;
    EXPECT_EQ(read_output(output.get()), "0::/below\n");
    wait(*joined);
    where.group = cgroup + "/missing";
    joined = join(where, p, environment());
    ASSERT_FALSE(joined);
    EXPECT_NE(joined.error().text.find("/missing"), std::string::npos) << joined.error().text;
    EXPECT_EQ(rmdir(below.c_str()), 0);
}

TEST_P(Join, LeaksNoDescriptor) {
    Fd extra = std::move(open_at(AT_FDCWD, "/etc", O_RDONLY | O_DIRECTORY).value());
    ASSERT_EQ(fcntl(extra.get(), F_SETFD, 0), 0);
    LaunchPlan p = command("");
    p.process.argv = {"ls", "/proc/self/fd"};
    EXPECT_EQ(exec(p), "0\n1\n2\n3\n") << failure;
}

TEST_P(Join, TellsOfACommandThatIsNotThere) {
    LaunchPlan p = command("");
    p.process.argv = {"no-such-command"};
    Result<Launched> joined = join(request(), p, environment());
    ASSERT_FALSE(joined);
    EXPECT_EQ(joined.error().code, Errc::no_command) << joined.error().text;
}

TEST_P(Join, TellsOfAMachineThatIsGone) {
    kill(machine.pid, SIGKILL);
    siginfo_t info;
    ASSERT_EQ(waitid(P_PIDFD, static_cast<id_t>(machine.pidfd.get()), &info, WEXITED | WNOWAIT), 0);
    Result<Launched> joined = join(request(), command("true"), environment());
    EXPECT_FALSE(joined);
}

TEST_P(Join, NeverRunsTheHostsProgramInside) {
    // CVE-2019-5736, through exec: see the launch's test, also for the report to nobody.
    if (GetParam() == Users::own) return;
    ASSERT_EQ(symlink("/proc/self/exe", (tree + "/bin/self").c_str()), 0);
    LaunchPlan p = command("");
    p.process.argv = {"/bin/self", "--report=99", "--", "sh", "-c",
                      "readlink /proc/$PPID/exe; (: >> /proc/$PPID/exe) 2>/dev/null && echo writable; :"};
    EXPECT_EQ(exec(p), "/\n") << failure;
}

}  // namespace
}  // namespace croft::run::testing
