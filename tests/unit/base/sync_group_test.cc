// That things last is shown by the power cuts of tests/images/test_store.py.
#include "base/sync_group.h"

#include <fcntl.h>

#include "temporary_directory.h"

namespace croft {
namespace {

class SyncGroupTest : public InTemporaryDirectory {};

TEST_F(SyncGroupTest, FilesAndDirectoriesTogether) {
    SyncGroup group;
    EXPECT_TRUE(group.flush()) << "nothing is nothing to do";
    for (const char* name : {"a", "b"}) {
        auto file = open_at(AT_FDCWD, cat(top_, "/", name).c_str(), O_WRONLY | O_CREAT, 0600);
        ASSERT_TRUE(file);
        ASSERT_TRUE(write_all(file->get(), "text"));
        group.add(std::move(*file), name);
    }
    ASSERT_TRUE(group.add_directory(AT_FDCWD, top_));
    Result<> flushed = group.flush();
    EXPECT_TRUE(flushed) << flushed.error().text;
    EXPECT_EQ(group.add_directory(AT_FDCWD, top_ + "/none").error().err, ENOENT);
    EXPECT_EQ(group.add_directory(AT_FDCWD, top_ + "/a").error().err, ENOTDIR);
}

TEST_F(SyncGroupTest, AnErrorNamesWhatMayNotLastAndEndsTheGroup) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    Fd reading(ends[0]);
    SyncGroup group;
    group.add(Fd(ends[1]), "machine.json");
    Result<> flushed = group.flush();
    ASSERT_FALSE(flushed) << "a pipe is on no disk";
    EXPECT_NE(flushed.error().text.find("writing machine.json to disk"), std::string::npos) << flushed.error().text;
    EXPECT_TRUE(group.flush());
}

}  // namespace
}  // namespace croft
