// Copying what a tmpfs is about to cover into it.
//
// The tree may be hostile, and change meanwhile: every name is a single component, opened without following a link and
// without leaving the mount, and a file is looked at by its descriptor before it is read.
#include <sys/stat.h>

#include "run/step_kinds.h"
#include "run/walk.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;
using kernel::raw_close;
using namespace launch;

namespace {

constexpr int most_depth = 64;  // each level holds two descriptors and a piece of the stack

struct Entry {  // what getdents64(2) writes
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

long open_entry(long directory, const char* name, uint64_t flags) {
    open_how how = {};
    how.flags = flags | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
    return raw(SYS_openat2, directory, arg(name), arg(&how), sizeof how);
}

// Owner first: changing it takes the set-id bits away.
long give_attributes(long directory, const char* name, const struct stat& st) {
    long error = raw(SYS_fchownat, directory, arg(name), st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW);
    if (error >= 0 && !S_ISLNK(st.st_mode)) error = raw(SYS_fchmodat, directory, arg(name), st.st_mode & 07777);
    timespec times[2] = {st.st_atim, st.st_mtim};
    if (error >= 0) error = raw(SYS_utimensat, directory, arg(name), arg(times), AT_SYMLINK_NOFOLLOW);
    return error;
}

long copy_content(long from, long to, const char* name) {
    long fd = raw(SYS_openat, to, arg(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return fd;
    long n;
    do n = raw(SYS_sendfile, fd, from, 0, 1 << 30);
    while (n > 0 || n == -EINTR);
    raw_close(fd);
    return n;
}

long copy_file(long from, long to, const char* name, struct stat& st) {
    long fd = open_entry(from, name, O_RDONLY | O_NONBLOCK);
    if (fd < 0) return fd;
    long error = raw(SYS_newfstatat, fd, arg(""), arg(&st), AT_EMPTY_PATH);
    if (error >= 0) error = S_ISREG(st.st_mode) ? copy_content(fd, to, name) : -EAGAIN;
    raw_close(fd);
    return error;
}

long copy_link(long from, long to, const char* name) {
    char target[4096];
    long n = raw(SYS_readlinkat, from, arg(name), arg(target), sizeof target - 1);
    if (n < 0) return n;
    target[n] = 0;
    return raw(SYS_symlinkat, arg(target), to, arg(name));
}

long copy_directory(long from, long to, int depth);

// A place where something else is mounted is made, and stays empty.
long copy_below(long from, long to, const char* name, int depth) {
    long error = raw(SYS_mkdirat, to, arg(name), 0700);
    if (error < 0) return error;
    long source = open_entry(from, name, O_RDONLY | O_DIRECTORY);
    if (source < 0) return source == -EXDEV ? 0 : source;
    long target = open_entry(to, name, O_RDONLY | O_DIRECTORY);
    error = target < 0 ? target : copy_directory(source, target, depth + 1);
    raw_close(target);
    raw_close(source);
    return error;
}

long copy_entry(long from, long to, const char* name, int depth) {
    struct stat st;
    long error = raw(SYS_newfstatat, from, arg(name), arg(&st), AT_SYMLINK_NOFOLLOW);
    if (error < 0) return error == -ENOENT ? 0 : error;
    switch (st.st_mode & S_IFMT) {
        case S_IFDIR:
            error = copy_below(from, to, name, depth);
            break;
        case S_IFREG:
            error = copy_file(from, to, name, st);
            if (error == -EXDEV) return 0;
            break;
        case S_IFLNK:
            error = copy_link(from, to, name);
            break;
        default:
            error = raw(SYS_mknodat, to, arg(name), st.st_mode, static_cast<long>(st.st_rdev));
            // A node of a device, where those cannot be made: nothing of the tree's contents is lost.
            if (error == -EPERM) return 0;
    }
    return error < 0 ? error : give_attributes(to, name, st);
}

long copy_directory(long from, long to, int depth) {
    if (depth > most_depth) return -ELOOP;
    alignas(Entry) char buffer[2048];
    for (;;) {
        long n = raw(SYS_getdents64, from, arg(buffer), sizeof buffer);
        if (n <= 0) return n;
        for (long at = 0; at < n;) {
            const Entry* entry = reinterpret_cast<const Entry*>(buffer + at);
            at += entry->size;
            if (Leaf::same(entry->name, ".") || Leaf::same(entry->name, "..")) continue;
            if (long error = copy_entry(from, to, entry->name, depth); error < 0) return error;
        }
    }
}

}  // namespace

long do_step(const CopyUp& s, Context& c) {
    long from = kernel::raw_open_in_root(AT_FDCWD, s.from.c_str(), O_RDONLY | O_DIRECTORY);
    if (from < 0) return from == -ENOENT || from == -ENOTDIR ? 0 : from;
    long to = raw(SYS_openat, c.slots[s.slot], arg("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long error = to < 0 ? to : copy_directory(from, to, 0);
    raw_close(to);
    raw_close(from);
    return error;
}

}  // namespace croft::run
