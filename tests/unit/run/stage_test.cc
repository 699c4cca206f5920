// The stage: made once, pinned, entered in copies, left without a trace.
#include "run/stage.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>

#include "base/text.h"
#include "machine.h"

namespace croft::run::testing {
namespace {

class StageTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "needs root";
        char name[] = "/tmp/croft-stage-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        path = name;
        directory = std::move(open_at(AT_FDCWD, name, O_RDONLY | O_DIRECTORY).value());
        mounts = count_mounts(path);
    }
    void TearDown() override {
        if (!directory) return;
        Result<> unpinned = unpin_stage(directory.get());
        EXPECT_TRUE(unpinned) << unpinned.error().text;
        EXPECT_TRUE(unpin_stage(directory.get())) << "twice does no harm";
        EXPECT_EQ(count_mounts(path), mounts);
        directory.reset();
        EXPECT_EQ(rmdir(path.c_str()), 0) << strerror(errno);
    }
    std::string link(const char* name) const {
        char text[64] = {};
        [[maybe_unused]] ssize_t n = readlink(name, text, sizeof text - 1);
        return text;
    }
    // Where the pinned namespace is, as nsfs numbers it.
    ino_t pinned() const {
        struct stat st = {};
        stat((path + "/stage/ns").c_str(), &st);
        return st.st_ino;
    }
    std::string path;
    Fd directory;
    size_t mounts = 0;
};

TEST_F(StageTest, IsAlmostEmptyAndLeftAgain) {
    std::string before = link("/proc/self/ns/mnt");
    char here[PATH_MAX];
    ASSERT_NE(getcwd(here, sizeof here), nullptr);
    {
        Stage stage = std::move(Stage::enter(directory.get()).value());
        EXPECT_FALSE(exists_at(AT_FDCWD, "/etc"));
        EXPECT_FALSE(exists_at(AT_FDCWD, "/p/1")) << "its proc shows a process";
        EXPECT_TRUE(exists_at(AT_FDCWD, "/p/sys"));
        EXPECT_TRUE(exists_at(AT_FDCWD, "/s/kernel"));
        struct stat st;
        EXPECT_EQ(stat("/blank-file", &st), 0);
        EXPECT_EQ(st.st_mode, static_cast<mode_t>(S_IFREG));
        EXPECT_NE(mkdir("/x", 0755), 0) << "it can be written to";
    }
    EXPECT_EQ(link("/proc/self/ns/mnt"), before);
    char now[PATH_MAX];
    EXPECT_STREQ(getcwd(now, sizeof now), here);
}

TEST_F(StageTest, CopiesDoNotSeeEachOthersMounts) {
    {
        Stage stage = std::move(Stage::enter(directory.get()).value());
        ASSERT_EQ(mount("none", "/l/0", "tmpfs", 0, nullptr), 0);
        ASSERT_EQ(mkdir("/l/0/seen", 0755), 0);
    }
    Stage stage = std::move(Stage::enter(directory.get()).value());
    EXPECT_FALSE(exists_at(AT_FDCWD, "/l/0/seen"));
}

TEST_F(StageTest, OneMakerWins) {
    pid_t makers[6];
    for (pid_t& maker : makers)
        if ((maker = fork()) == 0) _exit(pin_stage(directory.get()) ? 0 : 1);
    ino_t one = 0;
    for (pid_t maker : makers) {
        int status = 1;
        waitpid(maker, &status, 0);
        EXPECT_EQ(status, 0);
        if (!one) one = pinned();
        EXPECT_EQ(pinned(), one);
    }
    EXPECT_EQ(count_mounts(path), mounts + 1);
}

TEST_F(StageTest, WorksWithoutARunDirectory) {
    Stage stage = std::move(Stage::enter(-1).value());
    EXPECT_TRUE(exists_at(AT_FDCWD, "/blank-dir"));
}

TEST_F(StageTest, IsPinnedOnASharedMountToo) {
    // As on a host with systemd, where every mount is shared and services have slave copies of it.
    ASSERT_EQ(mount("none", path.c_str(), "tmpfs", 0, nullptr), 0);
    ASSERT_EQ(mount(nullptr, path.c_str(), nullptr, MS_SHARED, nullptr), 0);
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    Fd ready(ends[0]), tell(ends[1]);
    pid_t peer = fork();
    if (peer == 0) {
        if (unshare(CLONE_NEWNS) == 0 && write(tell.get(), "x", 1) == 1)
            for (;;) pause();
        _exit(1);
    }
    char byte;
    ASSERT_EQ(read(ready.get(), &byte, 1), 1);
    {
        Fd shared = std::move(open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY).value());
        Result<> made = pin_stage(shared.get());
        EXPECT_TRUE(made) << made.error().text;
        EXPECT_TRUE(Stage::enter(shared.get()));
        Result<> unpinned = unpin_stage(shared.get());
        EXPECT_TRUE(unpinned) << unpinned.error().text;
    }
    kill(peer, SIGKILL);
    waitpid(peer, nullptr, 0);
    EXPECT_EQ(umount2(path.c_str(), MNT_DETACH), 0);
}

TEST_F(StageTest, AStaleFileInItsPlaceIsReplaced) {
    // What a reboot leaves where the run directory is not a tmpfs.
    ASSERT_EQ(mkdir((path + "/stage").c_str(), 0700), 0);
    ASSERT_TRUE(open_at(AT_FDCWD, (path + "/stage/ns").c_str(), O_WRONLY | O_CREAT, 0600));
    EXPECT_TRUE(pin_stage(directory.get()));
}

}  // namespace
}  // namespace croft::run::testing
