// User namespaces: their maps, and ones that live only as a descriptor.
#include <linux/sched.h>
#include <linux/wait.h>
#include <sched.h>

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

// All that is wanted of this process is the namespace it was made in.
int end_at_once(void*) {
    return 0;
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
    alignas(16) char stack[1024];
    clone_args args = {};
    args.flags = CLONE_NEWUSER | CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_CLEAR_SIGHAND;
    long pid = kernel::clone_run(args, stack, sizeof stack, end_at_once, nullptr);
    if (pid < 0) return pid;
    // It has ended, but has a place in /proc, and there its namespace, until we wait for it: nothing is to be killed,
    // and nothing outlives us.
    long result = write_maps(pid, uids, gids);
    Path<64> path;
    path.add("/proc/").add(pid).add("/ns/user");
    if (result >= 0) result = raw(SYS_openat, AT_FDCWD, arg(path.text), O_RDONLY | O_CLOEXEC);
    // No exit signal was asked for, so only __WALL sees this child.
    while (raw(SYS_wait4, pid, 0, __WALL, 0) == -EINTR) {
    }
    return result;
}

}  // namespace croft::run
