#include "manager/copy_file.h"

#include <fcntl.h>

#include "run_fixture.h"

namespace croft::manager {
namespace {

class CopyFile : public RunTest {};

TEST_F(CopyFile, ContentAndHoles) {
    Fd from(open((top_ + "/from").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    Fd to(open((top_ + "/to").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    constexpr off_t hole = 64 << 20;
    ASSERT_TRUE(write_all(from.get(), "begin"));
    ASSERT_EQ(pwrite(from.get(), "end", 3, hole), 3);
    ASSERT_EQ(ftruncate(from.get(), hole + 4096), 0);
    struct stat st = {}, copied = {};
    fstat(from.get(), &st);
    ASSERT_TRUE(copy_content(from.get(), to.get(), st.st_size));
    fstat(to.get(), &copied);
    EXPECT_EQ(copied.st_size, st.st_size);
    EXPECT_LT(copied.st_blocks, 2048) << "the hole was filled";
    char text[8] = {};
    ASSERT_EQ(pread(to.get(), text, 5, 0), 5);
    EXPECT_STREQ(text, "begin");
    ASSERT_EQ(pread(to.get(), text, 3, hole), 3);
    EXPECT_EQ(std::string_view(text, 3), "end");
}

TEST_F(CopyFile, EmptyAndFromProc) {
    Fd to(open((top_ + "/to").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    Fd empty(open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(copy_content(empty.get(), to.get(), 0));
}

}  // namespace
}  // namespace croft::manager
