// What a limit's file answers. A host that does not count swap has no memory.swap.max anywhere; the root group of every
// host has none either, so it answers the same.
#include "run/machine_cgroup.h"

#include <fcntl.h>

#include "base/fd.h"
#include "machine.h"

namespace croft::run::testing {
namespace {

class Setting : public Machine {
  protected:
    void SetUp() override {
        Machine::SetUp();
        root_ = Fd(open(cgroup_mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        ASSERT_TRUE(root_);
    }
    void TearDown() override {
        root_.reset();
        Machine::TearDown();
    }
    Result<> write(const char* file, const char* value) { return write_setting(root_.get(), {file, value}); }
    static bool host_has_swap() {
        Result<std::string> table = read_file_at(AT_FDCWD, "/proc/swaps", 1 << 20);
        return table && table->find("\n/") != table->npos;
    }

  private:
    Fd root_;
};

TEST_F(Setting, NoLimitOfSwapNeedsNoCounting) { EXPECT_TRUE(write("memory.swap.max", "max")); }

TEST_F(Setting, NoSwapIsKeptWhereThereIsNone) { EXPECT_EQ(write("memory.swap.max", "0").has_value(), !host_has_swap()); }

TEST_F(Setting, ALimitOfSwapThatNobodyCountsIsRefused) {
    Result<> written = write("memory.swap.max", "1048576");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::unsupported);
    EXPECT_NE(written.error().text.find("does not count swap"), std::string::npos) << written.error().text;
}

TEST_F(Setting, NoOtherFileMayBeMissing) {
    Result<> written = write("memory.max", "max");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().err, ENOENT);
}

}  // namespace
}  // namespace croft::run::testing
