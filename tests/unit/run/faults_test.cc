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

namespace croft::run::testing {
namespace {

using namespace launch;

class Faults : public Machine, public ::testing::WithParamInterface<Users> {
  protected:
    // One with all kinds of things that could be left behind.
    LaunchPlan rich_plan() const {
        LaunchPlan p = plan(GetParam(), "exec sleep 1000");
        uint32_t id = GetParam() == Users::own ? 1'000'000'000 : 0;
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
        return p;
    }
};
INSTANTIATE_TEST_SUITE_P(Users, Faults, ::testing::Values(Users::host, Users::own),
                         [](const auto& users) { return users.param == Users::host ? "host" : "own"; });

TEST_P(Faults, ThePlanItselfWorks) {
    Result<Launched> launched = launch(rich_plan(), environment());
    ASSERT_TRUE(launched) << launched.error().text;
    undo(*launched);
}

TEST_P(Faults, NothingIsLeftWhenAnyPointFails) {
    LaunchPlan p = rich_plan();
    size_t mounts = count_mounts(run_path), fds = count_fds(), children = count_children();
    ASSERT_GT(fault_points(p), 40u);
    for (uint32_t point = 0; point < fault_points(p); ++point) {
        SCOPED_TRACE(cat("point ", point));
        LaunchEnvironment e = environment();
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
            LaunchEnvironment e = environment();
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

}  // namespace
}  // namespace croft::run::testing
