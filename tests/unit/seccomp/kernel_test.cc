// Filters in the real kernel: a forked child loads one and makes system calls.
#include <errno.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch/seccomp_file.h"
#include "machine.h"
#include "seccomp/compile.h"
#include "spec/seccomp_request.h"

namespace croft::seccomp {
namespace {

// Runs `calls` in a child under the request's filter; its value is the child's exit status, 200 when loading
// failed.
template <class F>
int under_filter(const std::string& request, F calls) {
    auto file = compile(request);
    EXPECT_TRUE(file) << file.error().text;
    launch::SeccompFileHeader header;
    std::memcpy(&header, file->data(), sizeof header);
    sock_fprog program{static_cast<unsigned short>(header.instructions),
                       reinterpret_cast<sock_filter*>(file->data() + file->size() - header.instructions * 8)};
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, header.filter_flags, &program) != 0) _exit(200);
        _exit(calls());
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int errno_of(long result) {
    return result < 0 ? errno : 0;
}

TEST(Kernel, LoadsTheDefaultListAndActsOnIt) {
    auto request = spec::default_request(0, {});
    EXPECT_EQ(under_filter(*request, [] { return errno_of(syscall(SYS_kexec_load, 0, 0, 0, 0)); }), EPERM);
    EXPECT_EQ(under_filter(*request, [] { return errno_of(syscall(SYS_bpf, 99, 0, 0)); }), EPERM);
    EXPECT_EQ(under_filter(*request, [] { return errno_of(syscall(471)); }), EPERM);
    EXPECT_EQ(under_filter(*request, [] { return errno_of(syscall(5000)); }), ENOSYS);
    EXPECT_EQ(under_filter(*request, [] { return errno_of(socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT)); }),
              EAFNOSUPPORT);
    EXPECT_EQ(under_filter(*request, [] { return errno_of(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)); }),
              0);
    EXPECT_EQ(under_filter(*request, [] { return errno_of(getppid()); }), 0);
}

TEST(Kernel, HonoursFamiliesAndSuppressedSync) {
    spec::Security security;
    security.address_families = {"AF_UNIX"};
    security.suppress_sync = true;
    auto request = spec::default_request(0, security);
    EXPECT_EQ(under_filter(*request, [] { return errno_of(socket(AF_INET, SOCK_STREAM, 0)); }), EAFNOSUPPORT);
    EXPECT_EQ(under_filter(*request, [] { return errno_of(socket(AF_UNIX, SOCK_STREAM, 0)); }), 0);
    EXPECT_EQ(under_filter(*request, [] { return errno_of(fsync(-1)); }), 0);  // without the filter: EBADF
}

TEST(Kernel, LoadsAProfileWithFlags) {
    spec::SeccompProfile profile;
    profile.default_action = "SCMP_ACT_ALLOW";
    profile.flags = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                     "SECCOMP_FILTER_FLAG_TSYNC"};
    profile.rules = {{{"getppid"}, "SCMP_ACT_ERRNO", 77, {}}, {{"getsid"}, "SCMP_ACT_KILL_PROCESS", {}, {}}};
    auto request = spec::profile_request(profile);
    EXPECT_EQ(under_filter(*request, [] { return errno_of(syscall(SYS_getppid)); }), 77);
    EXPECT_EQ(under_filter(*request, [] { return errno_of(getsid(0)); }), 1000 + SIGSYS);
}

}  // namespace
}  // namespace croft::seccomp
