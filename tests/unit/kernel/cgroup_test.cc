// cgroups as the kernel really has them, below a group of this test's own.
#include "kernel/cgroup.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

namespace croft::kernel {
namespace {

std::string cgroup_mount() {
    Result<std::string> mounts = read_file_at(AT_FDCWD, "/proc/self/mounts", 1 << 20);
    if (!mounts) return "";
    for (const std::string& line : split(*mounts, '\n')) {
        std::vector<std::string> words = split(line, ' ');
        if (words.size() > 2 && words[2] == "cgroup2") return words[1];
    }
    return "";
}

class Cgroup : public ::testing::Test {
  protected:
    void SetUp() override {
        mount = cgroup_mount();
        if (geteuid() != 0 || mount.empty()) GTEST_SKIP() << "needs root and a cgroup2 mount";
        name = cat("croft-kernel-test-", getpid());
        parent = std::move(open_at(AT_FDCWD, mount.c_str(), O_RDONLY | O_DIRECTORY).value());
    }
    void TearDown() override {
        if (!parent) return;
        Result<> removed = remove_cgroup(parent.get(), name);
        EXPECT_TRUE(removed) << removed.error().text;
        EXPECT_FALSE(exists_at(parent.get(), name.c_str()));
    }
    // A sleeping process in the group.
    pid_t sleeper(int group) const {
        pid_t pid = fork();
        if (pid == 0) {
            if (!write_file_at(group, "cgroup.procs", "0")) _exit(1);
            for (;;) pause();
        }
        for (int tries = 0; tries < 200; ++tries) {
            Result<std::vector<int>> pids = cgroup_pids(group);
            if (pids && !pids->empty()) break;
            poll(nullptr, 0, 5);
        }
        return pid;
    }
    std::string mount, name;
    Fd parent;
};

TEST_F(Cgroup, IsMadeWithItsParents) {
    Result<Fd> group = make_cgroup(mount, cat(name, "/a/b"), {});
    ASSERT_TRUE(group) << group.error().text;
    EXPECT_TRUE(exists_at(parent.get(), cat(name, "/a/b/cgroup.procs").c_str()));
    EXPECT_EQ(cgroup_value(group->get(), "cgroup.events", "populated"), 0u);
    EXPECT_EQ(cgroup_number(group->get(), "no-such-file"), std::nullopt);
    EXPECT_EQ(cgroup_number(group->get(), "cgroup.max.depth"), UINT64_MAX);
}

TEST_F(Cgroup, AnEmptyOneIsTakenOverAndABusyOneIsNot) {
    Fd group = std::move(make_cgroup(mount, name, {}).value());
    EXPECT_TRUE(make_cgroup(mount, name, {}));
    group = std::move(open_at(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY).value());
    pid_t pid = sleeper(group.get());
    Result<Fd> again = make_cgroup(mount, name, {});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::busy);
    EXPECT_TRUE(kill_cgroup(group.get()));
    waitpid(pid, nullptr, 0);
}

TEST_F(Cgroup, KillsListsAndRemovesWhatIsNested) {
    Fd inner = std::move(make_cgroup(mount, cat(name, "/x/y"), {}).value());
    Fd outer = std::move(open_at(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY).value());
    pid_t pid = sleeper(inner.get());
    EXPECT_EQ(cgroup_pids(outer.get()).value(), std::vector<int>{pid});
    ASSERT_TRUE(kill_cgroup(outer.get()));
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(Cgroup, Freezes) {
    Fd group = std::move(make_cgroup(mount, name, {}).value());
    pid_t pid = sleeper(group.get());
    ASSERT_TRUE(freeze_cgroup(group.get(), true));
    for (int tries = 0; tries < 200 && cgroup_value(group.get(), "cgroup.events", "frozen") != 1; ++tries)
        poll(nullptr, 0, 5);
    EXPECT_EQ(cgroup_value(group.get(), "cgroup.events", "frozen"), 1u);
    ASSERT_TRUE(freeze_cgroup(group.get(), false));
    EXPECT_TRUE(kill_cgroup(group.get()));
    waitpid(pid, nullptr, 0);
}

TEST_F(Cgroup, IsDelegatedWithTheFilesThatMatter) {
    Fd group = std::move(make_cgroup(mount, name, {}).value());
    ASSERT_TRUE(delegate_cgroup(group.get(), 1234, 1235));
    struct stat st;
    for (const char* file : {".", "cgroup.procs", "cgroup.subtree_control"}) {
        ASSERT_EQ(fstatat(group.get(), file, &st, 0), 0) << file;
        EXPECT_EQ(st.st_uid, 1234u) << file;
    }
    ASSERT_EQ(fstatat(group.get(), "cgroup.kill", &st, 0), 0);
    EXPECT_EQ(st.st_uid, 0u) << "limits stay the host's";
}

TEST_F(Cgroup, AControllerThatIsNotThereIsNamed) {
    Fd group = std::move(make_cgroup(mount, name, {}).value());
    Result<> enabled = enable_controllers(group.get(), {"no-such-controller"});
    ASSERT_FALSE(enabled);
    EXPECT_EQ(enabled.error().code, Errc::unsupported);
    EXPECT_NE(enabled.error().text.find("no-such-controller"), std::string::npos);
}

TEST_F(Cgroup, OneThatIsNotThereIsRemovedAlready) {
    EXPECT_TRUE(remove_cgroup(parent.get(), cat(name, "-never")));
}

}  // namespace
}  // namespace croft::kernel
