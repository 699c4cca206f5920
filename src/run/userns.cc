// User namespaces: their maps, and ones that live only as a descriptor.
#include <linux/sched.h>
#include <linux/wait.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "kernel/clone.h"
#include "kernel/raw.h"
#include "run/context.h"
#include "run/walk.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;
using kernel::raw_close;

namespace {

long write_proc(long pid, const char* name, const char* text, size_t size) {
    Path<64> path;
    path.add("/proc/").add(pid).add("/").add(name);
    long fd = raw(SYS_openat, AT_FDCWD, arg(path.text), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return fd;
    // One write for all lines: the kernel takes a map only once.
    long n = raw(SYS_write, fd, arg(text), static_cast<long>(size));
    raw_close(fd);
    return n < 0 ? n : 0;
}

long write_map(long pid, const char* name, const std::vector<launch::IdMap>& maps) {
    // The kernel takes at most 340 lines and less than a page (user_namespaces(7)).
    Path<4096> text;
    for (const launch::IdMap& map : maps)
        text.add(map.inside).add(" ").add(map.outside).add(" ").add(map.count).add("\n");
    return text.cut ? -EINVAL : write_proc(pid, name, text.text, text.used);
}

// Lives until it is killed: by its maker, or by the kernel with its maker.
int stay(void* maker) {
    raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (raw(SYS_getppid) != *static_cast<long*>(maker)) return 0;
    for (;;) raw(SYS_ppoll, 0, 0, 0, 0, 8);
}

// Kernels since 6.11 give a process's namespace by its pidfd, without a walk through /proc.
long namespace_of(long pid, int pidfd) {
    constexpr long pidfd_get_user_namespace = _IO(0xff, 9);
    long fd = raw(SYS_ioctl, pidfd, pidfd_get_user_namespace, 0);
    if (fd >= 0) return fd;
    Path<64> path;
    path.add("/proc/").add(pid).add("/ns/user");
    return raw(SYS_openat, AT_FDCWD, arg(path.text), O_RDONLY | O_CLOEXEC);
}

}  // namespace

long write_maps(long pid, const std::vector<launch::IdMap>& uids, const std::vector<launch::IdMap>& gids) {
    long error = write_map(pid, "uid_map", uids);
    if (error < 0) return error;
    error = write_map(pid, "gid_map", gids);
    if (error != -EPERM) return error;
    // Without privileges a group map is taken only where setgroups is given up first.
    error = write_proc(pid, "setgroups", "deny", 4);
    return error < 0 ? error : write_map(pid, "gid_map", gids);
}

long make_userns(const std::vector<launch::IdMap>& uids, const std::vector<launch::IdMap>& gids) {
    alignas(16) char stack[8192];
    int pidfd = -1;
    long self = raw(SYS_getpid);
    clone_args args = {};
    args.flags = CLONE_NEWUSER | CLONE_VM | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    args.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
    long pid = kernel::clone_run(args, stack, sizeof stack, stay, &self);
    if (pid < 0) return pid;
    long result = write_maps(pid, uids, gids);
    if (result >= 0) result = namespace_of(pid, pidfd);
    raw(SYS_pidfd_send_signal, pidfd, SIGKILL, 0, 0);
    // No exit signal was asked for, so only __WALL sees this child.
    while (raw(SYS_wait4, pid, 0, __WALL, 0) == -EINTR) {
    }
    raw_close(pidfd);
    return result;
}

}  // namespace croft::run
