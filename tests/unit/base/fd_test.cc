// Files in a directory of the test's own. The kernel is asked, not mocked.
#include "base/fd.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace croft {
namespace {

class FdTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_NE(mkdtemp(path_), nullptr);
        directory = Fd(open(path_, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    void TearDown() override {
        std::string command = std::string("rm -rf ") + path_;
        ASSERT_EQ(system(command.c_str()), 0);
    }
    char path_[32] = "/tmp/croft-fd-test-XXXXXX";
    Fd directory;
};

bool is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

TEST_F(FdTest, IsClosedAtTheEndOfItsLife) {
    int number = -1;
    {
        Fd fd = open_at(directory.get(), ".", O_RDONLY).value();
        number = fd.get();
        EXPECT_TRUE(is_open(number));
        EXPECT_EQ(fcntl(number, F_GETFD), FD_CLOEXEC);
        Fd moved = std::move(fd);
        EXPECT_FALSE(fd);  // NOLINT: what a moved-from Fd is, is part of its promise
        EXPECT_EQ(moved.get(), number);
    }
    EXPECT_FALSE(is_open(number));
}

TEST_F(FdTest, WritesReplaceAtomically) {
    ASSERT_TRUE(replace_file_at(directory.get(), "record", "one"));
    ASSERT_TRUE(replace_file_at(directory.get(), "record", "two", 0600));
    EXPECT_EQ(read_file_at(directory.get(), "record").value(), "two");
    struct stat st = {};
    ASSERT_EQ(fstatat(directory.get(), "record", &st, 0), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600u);
    EXPECT_FALSE(replace_file_at(directory.get(), "missing/record", "x"));
}

TEST_F(FdTest, ReadsHaveALimit) {
    ASSERT_TRUE(replace_file_at(directory.get(), "big", std::string(5000, 'x')));
    EXPECT_EQ(read_file_at(directory.get(), "big", 5000).value().size(), 5000u);
    auto result = read_file_at(directory.get(), "big", 4999);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().text, "'big': larger than the 4999 bytes that are allowed");
    EXPECT_EQ(read_file_at(directory.get(), "none").error().code, Errc::not_found);
}

TEST_F(FdTest, PathsInATreeCannotLeaveIt) {
    ASSERT_TRUE(make_dirs_at(directory.get(), "tree/etc"));
    ASSERT_TRUE(replace_file_at(directory.get(), "secret", "outside"));
    Fd tree = open_at(directory.get(), "tree", O_RDONLY | O_DIRECTORY).value();
    ASSERT_EQ(symlinkat("../secret", tree.get(), "up"), 0);
    ASSERT_EQ(symlinkat("/secret", tree.get(), "absolute"), 0);
    ASSERT_EQ(symlinkat("/proc/self/fd/0", tree.get(), "magic"), 0);
    for (const char* path : {"up", "absolute", "../secret", "/secret", "magic", "etc/../../secret"})
        EXPECT_FALSE(open_in_root(tree.get(), path, O_RDONLY)) << path;
    ASSERT_TRUE(replace_file_at(tree.get(), "secret", "inside"));
    Fd inside = open_in_root(tree.get(), "absolute", O_RDONLY).value();
    EXPECT_EQ(read_all(inside.get()).value(), "inside");
}

TEST_F(FdTest, MakesDirectoriesOnTheWay) {
    ASSERT_TRUE(make_dirs_at(directory.get(), "a/b/c"));
    ASSERT_TRUE(make_dirs_at(directory.get(), "a/b/c"));
    EXPECT_TRUE(exists_at(directory.get(), "a/b/c"));
    ASSERT_TRUE(replace_file_at(directory.get(), "file", ""));
    EXPECT_FALSE(make_dirs_at(directory.get(), "file/x"));
}

}  // namespace
}  // namespace croft
