// User namespaces: their maps, and ones that live only as a descriptor.
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

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
    clone_args args = {};
    args.flags = CLONE_NEWUSER | CLONE_CLEAR_SIGHAND;
    args.exit_signal = SIGCHLD;
    long pid = raw(SYS_clone3, arg(&args), sizeof args);
    // The helper does nothing but wait to be killed.
    if (pid == 0)
        for (;;) raw(SYS_ppoll, 0, 0, 0, 0, 8);
    if (pid < 0) return pid;
    long error = write_maps(pid, uids, gids);
    long fd = error;
    if (error >= 0) {
        Path<64> path;
        path.add("/proc/").add(pid).add("/ns/user");
        fd = raw(SYS_openat, AT_FDCWD, arg(path.text), O_RDONLY | O_CLOEXEC);
    }
    raw(SYS_kill, pid, SIGKILL);
    raw(SYS_wait4, pid, 0, 0, 0);
    return fd;
}

}  // namespace croft::run
