// Directories, nodes, links, files and sockets in a tree.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "run/step_kinds.h"
#include "run/walk.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;
using kernel::raw_close;
using kernel::raw_open_in_root;
using namespace launch;

long do_step(const MakeDir& s, Context& c) {
    Leaf leaf(base_of(c, s.base), s.path.c_str());
    if (leaf.failed()) return leaf.directory;
    long error = 0;
    {
        MakeAs owner(s.uid, s.gid);
        error = raw(SYS_mkdirat, leaf.directory, arg(leaf.name), s.mode);
    }
    // A directory of the host's that its owner may not write to (the scratch directory): made by root and
    // given away.
    if (error == -EACCES && c.place == Place::host && (s.uid || s.gid)) {
        error = raw(SYS_mkdirat, leaf.directory, arg(leaf.name), s.mode);
        if (error >= 0)
            error = raw(SYS_fchownat, leaf.directory, arg(leaf.name), s.uid, s.gid, AT_SYMLINK_NOFOLLOW);
    }
    return error == -EEXIST ? 0 : error;
}

namespace {

uint32_t node_type(char type) {
    return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR;
}

// The very node stays; anything else goes, and -ENOENT says so.
long keep_node(const Leaf& leaf, const MakeNode& s, uint64_t device) {
    struct stat st;
    long error = raw(SYS_newfstatat, leaf.directory, arg(leaf.name), arg(&st), AT_SYMLINK_NOFOLLOW);
    if (error < 0) return error;
    const bool same = st.st_mode == (node_type(s.type) | s.mode) && (s.type == 'p' || st.st_rdev == device) &&
                      st.st_uid == s.uid && st.st_gid == s.gid;
    if (same) return 0;
    error = raw(SYS_unlinkat, leaf.directory, arg(leaf.name), 0);
    return error < 0 ? error : -ENOENT;
}

}  // namespace

long do_step(const MakeNode& s, Context& c) {
    Leaf leaf(base_of(c, s.base), s.path.c_str());
    if (leaf.failed()) return leaf.directory;
    const uint64_t device = s.type == 'p' ? 0 : makedev(s.major, s.minor);
    // Not made under other file system ids: those would take CAP_MKNOD away. /dev is a fresh tmpfs, which
    // takes any.
    auto make = [&] {
        return raw(SYS_mknodat, leaf.directory, arg(leaf.name), node_type(s.type) | s.mode,
                   static_cast<long>(device));
    };
    long error = make();
    if (error == -EEXIST && s.replace) {
        error = keep_node(leaf, s, device);
        if (error != -ENOENT) return error;
        error = make();
    }
    if (error < 0 || !(s.uid || s.gid)) return error;
    return raw(SYS_fchownat, leaf.directory, arg(leaf.name), s.uid, s.gid, AT_SYMLINK_NOFOLLOW);
}

long do_step(const MakeLink& s, Context& c) {
    Leaf leaf(base_of(c, s.base), s.path.c_str());
    long error = leaf.failed() ? leaf.directory : 0;
    if (error >= 0) {
        MakeAs owner(s.uid, s.gid);
        if (s.replace) raw(SYS_unlinkat, leaf.directory, arg(leaf.name), 0);
        error = raw(SYS_symlinkat, arg(s.target.c_str()), leaf.directory, arg(leaf.name));
    }
    return s.optional ? 0 : error;
}

namespace {

long open_new_file(const Leaf& leaf, uint32_t mode, bool replace) {
    if (replace) raw(SYS_unlinkat, leaf.directory, arg(leaf.name), 0);
    long fd = raw(SYS_openat, leaf.directory, arg(leaf.name),
                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    return fd;
}

long write_fully(long fd, const char* bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        long n = raw(SYS_write, fd, arg(bytes + done), static_cast<long>(size - done));
        if (n == -EINTR) continue;
        if (n < 0) return n;
        done += static_cast<size_t>(n);
    }
    return 0;
}

// A version 4 UUID and a newline (RFC 9562).
long random_uuid(char (&text)[37]) {
    unsigned char bytes[16];
    if (raw(SYS_getrandom, arg(bytes), sizeof bytes, 0) != sizeof bytes) return -EIO;
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
    char* out = text;
    for (int i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
        *out++ = "0123456789abcdef"[bytes[i] >> 4];
        *out++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *out = '\n';
    return 0;
}

}  // namespace

long do_step(const MakeFile& s, Context& c) {
    Leaf leaf(base_of(c, s.base), s.path.c_str());
    if (leaf.failed()) return leaf.directory;
    MakeAs owner(s.uid, s.gid);
    long fd = open_new_file(leaf, s.mode, s.replace);
    if (fd < 0) return fd;
    char uuid[37];
    long error = s.random_uuid ? random_uuid(uuid) : 0;
    if (error >= 0)
        error = s.random_uuid ? write_fully(fd, uuid, sizeof uuid)
                              : write_fully(fd, s.content.data(), s.content.size());
    raw_close(fd);
    return error;
}

long do_step(const MakeFifo& s, Context& c) {
    Leaf leaf(base_of(c, s.base), s.path.c_str());
    if (leaf.failed()) return leaf.directory;
    MakeAs owner(s.uid, s.gid);
    return raw(SYS_mknodat, leaf.directory, arg(leaf.name), S_IFIFO | s.mode, 0);
}

long do_step(const Remove& s, Context& c) {
    Leaf leaf(base_of(c, s.base), s.path.c_str());
    if (leaf.failed()) return leaf.directory == -ENOENT ? 0 : leaf.directory;
    const bool mapped = c.place != Place::inside && !c.plan->uid_maps.empty() && !c.plan->gid_maps.empty();
    MakeAs owner(mapped ? c.plan->uid_maps[0].outside : 0, mapped ? c.plan->gid_maps[0].outside : 0);
    long error = raw(SYS_unlinkat, leaf.directory, arg(leaf.name), 0);
    return error == -ENOENT ? 0 : error;
}

namespace {

long copy_bytes(long from, long to) {
    char buffer[4096];
    for (;;) {
        long n = raw(SYS_read, from, arg(buffer), sizeof buffer);
        if (n == -EINTR) continue;
        if (n <= 0) return n;
        if (long error = write_fully(to, buffer, static_cast<size_t>(n)); error < 0) return error;
    }
}

long copy_file(const CopyFile& s, Context& c) {
    long from = raw_open_in_root(c.host_root, s.from.c_str(), O_RDONLY | O_NONBLOCK);
    if (from < 0) return from;
    Leaf leaf(base_of(c, s.base), s.path.c_str());
    long to = leaf.failed() ? leaf.directory : 0;
    if (to >= 0) {
        struct stat st;
        long there = raw(SYS_newfstatat, leaf.directory, arg(leaf.name), arg(&st), AT_SYMLINK_NOFOLLOW);
        MakeAs owner(s.uid, s.gid);
        to = there >= 0 && !S_ISREG(st.st_mode) ? -EEXIST : open_new_file(leaf, s.mode, there >= 0);
    }
    long error = to < 0 ? to : copy_bytes(from, to);
    raw_close(from);
    raw_close(to);
    return error;
}

}  // namespace

long do_step(const CopyFile& s, Context& c) {
    long error = copy_file(s, c);
    return s.optional ? 0 : error;
}

// Bound by its path below the slot's fd: /proc/self/fd/N/PATH would need a proc in the stage, so the
// directory becomes the working directory for the moment.
long do_step(const NotifySocket& s, Context& c) {
    Leaf leaf(base_of(c, s.base), s.path.c_str());
    if (leaf.failed()) return leaf.directory;
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    for (size_t i = 0; leaf.name[i] && i + 1 < sizeof address.sun_path; ++i)
        address.sun_path[i] = leaf.name[i];
    long before = raw(SYS_openat, AT_FDCWD, arg("."), O_PATH | O_CLOEXEC);
    if (before < 0) return before;
    long fd = raw(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    long error = fd;
    if (error >= 0) error = raw(SYS_setsockopt, fd, SOL_SOCKET, SO_PASSCRED, arg(&on), sizeof on);
    if (error >= 0) error = raw(SYS_fchdir, leaf.directory);
    if (error >= 0) error = raw(SYS_bind, fd, arg(&address), sizeof address);
    if (error == -EOVERFLOW) {  // an idmapped tree takes it from its own root only
        MakeAs owner(s.uid, s.gid);
        error = raw(SYS_bind, fd, arg(&address), sizeof address);
    }
    // Writing to a socket needs write permission on it; sd_notify only ever writes (mode 0200 as nspawn's).
    if (error >= 0) error = raw(SYS_fchmodat, AT_FDCWD, arg(address.sun_path), 0200);
    if (error >= 0)
        error = raw(SYS_fchownat, AT_FDCWD, arg(address.sun_path), s.uid, s.gid, AT_SYMLINK_NOFOLLOW);
    raw(SYS_fchdir, before);
    raw_close(before);
    if (error >= 0) return fill(c, s.slot, fd);
    raw_close(fd);
    return error;
}

}  // namespace croft::run
