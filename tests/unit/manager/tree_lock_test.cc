#include "manager/tree_lock.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "run_fixture.h"

namespace croft::manager {
namespace {

class TreeLockTest : public RunTest {
  protected:
    void SetUp() override {
        RunTest::SetUp();
        tree_ = top_ + "/tree";
        mkdir(tree_.c_str(), 0755);
        root_ = Fd(open(tree_.c_str(), O_PATH | O_CLOEXEC));
    }
    Result<TreeLock> lock(LockKind kind) { return lock_tree(paths_, tree_, root_.get(), kind); }
    std::string tree_;
    Fd root_;
};

TEST_F(TreeLockTest, OneWriterOrManyReaders) {
    auto writer = lock(LockKind::exclusive);
    ASSERT_TRUE(writer);
    EXPECT_EQ(lock(LockKind::exclusive).error().code, Errc::busy);
    EXPECT_EQ(lock(LockKind::shared).error().code, Errc::busy);
    unlock_tree(std::move(*writer));
    auto one = lock(LockKind::shared), two = lock(LockKind::shared);
    EXPECT_TRUE(one && two);
    EXPECT_FALSE(lock(LockKind::exclusive));
    unlock_tree(std::move(*one));
    EXPECT_FALSE(lock(LockKind::exclusive));
    unlock_tree(std::move(*two));
    auto last = lock(LockKind::exclusive);
    ASSERT_TRUE(last);
    std::string path = last->paths.at(0);
    unlock_tree(std::move(*last));
    EXPECT_NE(access(path.c_str(), F_OK), 0) << "the last one removes the file";
}

TEST_F(TreeLockTest, TheHolderIsNamed) {
    auto mine = claim(paths_, "web");
    Record r = record("web");
    r.tree = tree_;
    r.leader = {getpid(), process_start(getpid()).value_or(0)};
    ASSERT_TRUE(mine->write(r));
    auto held = lock(LockKind::exclusive);
    auto second = lock(LockKind::exclusive);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().text.find("machine 'web'"), std::string::npos) << second.error().text;
    EXPECT_NE(lock(LockKind::shared).error().text.find("read-write by machine 'web'"), std::string::npos);
}

TEST_F(TreeLockTest, SurvivesInAChild) {
    // What croft-hold relies on: the lock lives as long as any copy of its descriptor.
    int hold[2];
    ASSERT_EQ(pipe(hold), 0);
    auto mine = lock(LockKind::exclusive);
    ASSERT_TRUE(mine);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(hold[1]);
        (void)!read(hold[0], &byte, 1);
        _exit(0);
    }
    mine->locks.clear();  // closed without unlocking, as by an exec or a death
    EXPECT_FALSE(lock(LockKind::exclusive));
    close(hold[0]);
    close(hold[1]);
    waitpid(child, nullptr, 0);
    EXPECT_TRUE(lock(LockKind::exclusive));
}

TEST_F(TreeLockTest, NspawnsLockBesideTheTree) {
    std::string path = top_ + "/.#tree.lck";
    Fd theirs(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_TRUE(lock_fd(theirs.get(), LockKind::exclusive));
    auto refused = lock(LockKind::exclusive);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("systemd-nspawn"), std::string::npos);
    theirs.reset();
    EXPECT_TRUE(lock(LockKind::exclusive));
    EXPECT_EQ(access(path.c_str(), F_OK), 0) << "the file is nspawn's to remove";
}

}  // namespace
}  // namespace croft::manager
