// Processes on a stack of their own, sharing memory or not.
#include "kernel/clone.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "kernel/raw.h"

namespace croft::kernel {
namespace {

alignas(16) char stack[256 << 10];

int store(void* where) {
    *static_cast<int*>(where) = 42;
    return 7;
}

int run_with(uint64_t flags, int& value) {
    clone_args args = {};
    args.flags = flags;
    args.exit_signal = SIGCHLD;
    long pid = clone_run(args, stack, sizeof stack, store, &value);
    EXPECT_GT(pid, 0);
    int status = 0;
    EXPECT_EQ(waitpid(static_cast<pid_t>(pid), &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

TEST(Clone, TheFunctionsResultIsTheExitStatus) {
    int value = 0;
    EXPECT_EQ(run_with(0, value), 7);
    EXPECT_EQ(value, 0) << "memory is a copy";
}

TEST(Clone, SharesMemoryWhenAskedTo) {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "a sanitized build never shares memory (kernel/clone.cc)";
#endif
    int value = 0;
    EXPECT_EQ(run_with(CLONE_VM, value), 7);
    EXPECT_EQ(value, 42);
}

TEST(Clone, AnErrorIsNegative) {
    clone_args args = {};
    args.flags = CLONE_SIGHAND;  // without CLONE_VM the kernel refuses it
    EXPECT_EQ(clone_run(args, stack, sizeof stack, store, nullptr), -EINVAL);
}

TEST(Raw, ErrorsAreReturnedAndErrnoIsLeftAlone) {
    errno = 0;
    EXPECT_EQ(raw(SYS_close, 999999), -EBADF);
    EXPECT_EQ(errno, 0);
}

}  // namespace
}  // namespace croft::kernel
