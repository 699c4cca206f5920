// Never half: each point of a launch fails in turn, and the launcher is killed after each; afterwards nothing
// is left.
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/text.h"
#include "kernel/cgroup.h"
#include "machine.h"
#include "run/gate.h"

namespace croft::run::testing {
namespace {

using namespace launch;

// A bundle has hooks and a gate besides.
struct Kind {
    const char* name;
    Users users;
    bool bundle;
};

class Faults : public Machine, public ::testing::WithParamInterface<Kind> {
  protected:
    void SetUp() override {
        Machine::SetUp();
        if (IsSkipped() || !GetParam().bundle) return;
        Result<Gate> made = make_gate(run_directory.get());
        ASSERT_TRUE(made) << made.error().text;
        gate = std::move(*made);
    }
    void TearDown() override {
        gate = {};
        Machine::TearDown();
    }
    LaunchEnvironment environment_here() const {
        LaunchEnvironment e = environment();
        e.gate = gate.gate.get(), e.gate_answer = gate.answer.get();
        e.root_path = tree;
        return e;
    }
    void make_bundle(LaunchPlan& p) const {
        auto hook = launch::Hook{.path = "/bin/sh", .args = {"sh", "-c", "exit 0"}, .env = {}, .timeout = 0};
        p.hooks.prestart.push_back(hook);
        p.hooks.create_runtime.push_back(hook);
        p.hooks.create_container.push_back(hook);
        p.hooks.start_container.push_back(hook);
        p.inside.push_back(ContainerHooks{});
        p.process.wait_start = true;
        p.process.parent_death_signal = 0;
        p.process.memory_policy = 0;
    }
    Gate gate;
    // One with all kinds of things that could be left behind.
    LaunchPlan rich_plan() const {
        LaunchPlan p = plan(GetParam().users, "exec sleep 1000");
        uint32_t id = GetParam().users == Users::own ? 1'000'000'000 : 0;
        Slot run = p.slots++, lower = p.slots++, upper = p.slots++, overlay = p.slots++;
        p.notify = p.slots++;
        p.host.push_back(OpenTree{.slot = lower, .path = tree + "/etc"});
        p.stage.push_back(MakeFs{
            .slot = run, .type = "tmpfs", .options = {{"mode", "0755"}, {"uid", cat(id)}, {"gid", cat(id)}}});
        p.stage.push_back(MakeFile{.base = run, .path = "file", .content = "x", .uid = id, .gid = id});
        p.stage.push_back(
            NotifySocket{.slot = p.notify, .base = run, .path = "notify", .uid = id, .gid = id});
        p.stage.push_back(Attach{.slot = run, .target = "/run"});
        p.stage.push_back(MakeFs{.slot = upper, .type = "tmpfs"});
        p.stage.push_back(MakeDir{.base = upper, .path = "u"});
        p.stage.push_back(MakeDir{.base = upper, .path = "w"});
        p.stage.push_back(MakeOverlay{
            .slot = overlay, .lowers = {lower}, .upper = upper, .upper_path = "u", .work_path = "w"});
        p.stage.push_back(Attach{.slot = overlay, .target = "/etc"});
        p.inside.push_back(OpenConsole{});
        p.inside.push_back(Mask{.target = "/proc/interrupts"});
        p.process.oom_score_adjust = 100;
        p.process.cpu_affinity = {0};
        p.cgroup.payload = "payload";
        p.cgroup.delegate = true;
        p.cgroup.owner_uid = p.cgroup.owner_gid = id;
        if (GetParam().bundle) make_bundle(p);
        return p;
    }
};
INSTANTIATE_TEST_SUITE_P(Users, Faults,
                         ::testing::Values(Kind{"host", Users::host, false}, Kind{"own", Users::own, false},
                                           Kind{"host_bundle", Users::host, true},
                                           Kind{"own_bundle", Users::own, true}),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(Faults, ThePlanItselfWorks) {
    Result<Launched> launched = launch(rich_plan(), environment_here());
    ASSERT_TRUE(launched) << launched.error().text;
    undo(*launched);
}

TEST_P(Faults, NothingIsLeftWhenAnyPointFails) {
    LaunchPlan p = rich_plan();
    size_t mounts = count_mounts(run_path), fds = count_fds(), children = count_children();
    ASSERT_GT(fault_points(p), 40u);
    for (uint32_t point = 0; point < fault_points(p); ++point) {
        SCOPED_TRACE(cat("point ", point));
        LaunchEnvironment e = environment_here();
        e.fail_at = point;
        e.fail_error = ENOTNAM;  // "Not a XENIX named type file": no step fails with that by itself
        Result<Launched> launched = launch(p, e);
        ASSERT_FALSE(launched);
        EXPECT_EQ(launched.error().err, ENOTNAM) << launched.error().text;
        EXPECT_FALSE(exists_at(AT_FDCWD, cat(cgroup_mount, "/", cgroup).c_str())) << launched.error().text;
        ASSERT_EQ(count_mounts(run_path), mounts);
        ASSERT_EQ(count_fds(), fds) << launched.error().text;
        ASSERT_EQ(count_children(), children);
    }
}

// Waits until no child of this process (a subreaper) is left; false after five seconds.
bool all_children_gone() {
    for (int tries = 0; tries < 500; ++tries) {
        pid_t pid = waitpid(-1, nullptr, WNOHANG);
        if (pid < 0) return true;
        if (pid == 0) poll(nullptr, 0, 10);
    }
    return false;
}

TEST_P(Faults, OnlyAnEmptyCgroupIsLeftWhenTheLauncherIsKilled) {
    LaunchPlan p = rich_plan();
    size_t mounts = count_mounts(run_path);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    // The last point is passed just before exec, when the payload already waits for nothing but that.
    for (uint32_t point = 0; point < fault_points(p); ++point) {
        SCOPED_TRACE(cat("point ", point));
        pid_t child = fork();
        if (child == 0) {
            LaunchEnvironment e = environment_here();
            e.kill_at = point;
            [[maybe_unused]] Result<Launched> launched = launch(p, e);
            _exit(1);
        }
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the launcher was not killed";
        EXPECT_TRUE(all_children_gone()) << "the payload lives on";
        ASSERT_EQ(count_mounts(run_path), mounts);
        clear_cgroup();
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_P(Faults, NothingIsLeftWhenTheLauncherIsKilledDuringAHook) {
    if (!GetParam().bundle) return;
    size_t mounts = count_mounts(run_path);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const std::string mark = run_path + "/hook-runs";
    ASSERT_EQ(chmod(run_path.c_str(), 0777), 0);  // a hook may be the machine's root
    for (auto list :
         {&launch::Hooks::prestart, &launch::Hooks::create_runtime, &launch::Hooks::create_container}) {
        LaunchPlan p = rich_plan();
        (p.hooks.*list)[0].args[2] = cat("PATH=/bin; : >", mark, "; exec sleep 1000");
        pid_t child = fork();
        if (child == 0) {
            [[maybe_unused]] Result<Launched> launched = launch(p, environment_here());
            _exit(1);
        }
        for (int tries = 0; tries < 1000 && access(mark.c_str(), F_OK) < 0; ++tries) poll(nullptr, 0, 10);
        EXPECT_EQ(unlink(mark.c_str()), 0);
        kill(child, SIGKILL);
        EXPECT_TRUE(all_children_gone()) << "a hook or the payload lives on";
        EXPECT_EQ(count_mounts(run_path), mounts);
        clear_cgroup();
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

}  // namespace
}  // namespace croft::run::testing
