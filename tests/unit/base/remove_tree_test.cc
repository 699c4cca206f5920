#include "base/remove_tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "temporary_directory.h"

namespace croft {
namespace {

class RemoveTree : public InTemporaryDirectory {};

TEST_F(RemoveTree, LinksAreRemovedAndNotFollowed) {
    ASSERT_TRUE(make_dirs_at(AT_FDCWD, top_ + "/precious/inner"));
    ASSERT_TRUE(make_dirs_at(AT_FDCWD, top_ + "/doomed/a/b/c"));
    ASSERT_EQ(symlink((top_ + "/precious").c_str(), (top_ + "/doomed/a/link").c_str()), 0);
    ASSERT_EQ(symlink("..", (top_ + "/doomed/a/b/up").c_str()), 0);
    ASSERT_EQ(mkfifo((top_ + "/doomed/fifo").c_str(), 0600), 0);
    ASSERT_TRUE(make_dirs_at(AT_FDCWD, top_ + "/doomed/locked"));
    ASSERT_EQ(chmod((top_ + "/doomed/locked").c_str(), 0), 0);
    auto removed = remove_tree_at(AT_FDCWD, (top_ + "/doomed").c_str());
    EXPECT_TRUE(removed) << removed.error().text;
    EXPECT_FALSE(exists("doomed"));
    EXPECT_TRUE(exists("precious/inner"));
    EXPECT_TRUE(remove_tree_at(AT_FDCWD, (top_ + "/doomed").c_str())) << "what is not there is removed";
}

TEST_F(RemoveTree, KeepsWhatItIsTold) {
    ASSERT_TRUE(make_dirs_at(AT_FDCWD, top_ + "/dir/sub"));
    Fd dir(open((top_ + "/dir").c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_TRUE(replace_file_at(dir.get(), "lock", ""));
    ASSERT_TRUE(replace_file_at(dir.get(), "other", ""));
    ASSERT_TRUE(empty_directory(dir.get(), "lock"));
    EXPECT_TRUE(exists("dir/lock"));
    EXPECT_FALSE(exists("dir/other"));
    EXPECT_FALSE(exists("dir/sub"));
}

}  // namespace
}  // namespace croft
