// One limit, written into a plain directory in a group's place.
#include "run/machine_cgroup.h"

#include <fcntl.h>

#include "base/temporary_directory.h"

namespace croft::run {
namespace {

class WriteSetting : public InTemporaryDirectory {
  protected:
    Result<> write(const char* file, const char* value) {
        Fd group(open(top_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        return write_setting(group.get(), {file, value});
    }
    void make(const char* file) { Fd(creat(cat(top_, "/", file).c_str(), 0644)); }
    std::string content(const char* file) { return read_file_at(AT_FDCWD, cat(top_, "/", file).c_str()).value_or("-"); }
};

TEST_F(WriteSetting, WritesTheFile) {
    for (const char* file : {"memory.max", "memory.swap.max"}) {
        make(file);
        EXPECT_TRUE(write(file, "4096"));
        EXPECT_EQ(content(file), "4096");
    }
}

TEST_F(WriteSetting, AFileThatIsNotThereIsAnErrorThatNamesIt) {
    Result<> written = write("memory.max", "max");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().err, ENOENT);
    EXPECT_NE(written.error().text.find("memory.max"), std::string::npos) << written.error().text;
    EXPECT_FALSE(exists("memory.max"));
}

TEST_F(WriteSetting, NoLimitOfSwapNeedsNoFile) {
    EXPECT_TRUE(write("memory.swap.max", "max"));
    EXPECT_FALSE(exists("memory.swap.max"));
}

TEST_F(WriteSetting, ALimitOfSwapThatIsNotCountedIsRefused) {
    Result<> written = write("memory.swap.max", "4096");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::unsupported);
    EXPECT_NE(written.error().text.find("does not count swap"), std::string::npos) << written.error().text;
}

// A line behind the heading of /proc/swaps is a swap in use.
TEST_F(WriteSetting, NoSwapIsKeptWhereTheHostHasNone) {
    const std::string swaps = read_file_at(AT_FDCWD, "/proc/swaps").value_or("");  // not there without CONFIG_SWAP
    const bool none = split(trim(swaps), '\n').size() <= 1;
    EXPECT_EQ(write("memory.swap.max", "0").has_value(), none);
}

// What is there but cannot be written is no matter of counting.
TEST_F(WriteSetting, OtherErrorsAreTold) {
    ASSERT_EQ(symlink("memory.swap.max", cat(top_, "/memory.swap.max").c_str()), 0);
    Result<> written = write("memory.swap.max", "max");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().err, ELOOP);
}

}  // namespace
}  // namespace croft::run
