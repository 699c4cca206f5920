// Where mounts are put, and what is changed on those that are there.
#include <sys/mount.h>
#include <sys/stat.h>

#include "run/step_kinds.h"
#include "run/walk.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;
using kernel::raw_attach;
using kernel::raw_close;
using kernel::raw_open_in_root;
using kernel::raw_open_tree;
using kernel::raw_set_attr;
using namespace launch;

// On top of the stage's own root: nothing of the stage can be walked to from inside, and no pivot_root is
// needed, which would look at every task of the host.
long do_step(const AttachRoot& s, Context& c) {
    int root = c.slots[s.slot];
    long error = raw(SYS_move_mount, root, arg(""), AT_FDCWD, arg("/"), MOVE_MOUNT_F_EMPTY_PATH);
    return error < 0 ? error : raw(SYS_fchdir, root);
}

namespace {

bool is_directory(long fd, long& error) {
    struct stat st;
    error = raw(SYS_newfstatat, fd, arg(""), arg(&st), AT_EMPTY_PATH);
    return error >= 0 && S_ISDIR(st.st_mode);
}

// As its owner, whom alone an idmapped tree takes things from; by root, and given away, where the owner may not write.
long make_point(const char* path, bool directory, uint64_t resolve, uint32_t uid, uint32_t gid) {
    long fd;
    {
        MakeAs owner(uid, gid);
        fd = make_mount_point(AT_FDCWD, path, directory, resolve);
    }
    return fd == -EACCES && (uid || gid) ? make_mount_point(AT_FDCWD, path, directory, resolve, uid, gid) : fd;
}

// What came from other mounts (a bind) can be cloned as soon as it is attached among ours. It is left through a descriptor,
// because paths may have changed meanwhile; so files, which nobody can be in, keep their place in the list of mounts.
long attach_anew(long mount, long target) {
    if (raw(SYS_fchdir, mount) < 0) return 0;
    long clone = raw_open_tree(mount, "", true, true);
    long error = clone < 0 ? 0 : raw(SYS_umount2, arg("."), MNT_DETACH);
    if (clone >= 0 && error >= 0) error = raw_attach(clone, target);
    raw_close(clone);
    long back = raw(SYS_chdir, arg("/"));
    return error < 0 ? error : back;
}

// The permissions of what is about to be covered, for the directory that covers it.
long copy_mode(long from, long to) {
    struct stat st;
    long error = raw(SYS_newfstatat, from, arg(""), arg(&st), AT_EMPTY_PATH);
    return error < 0 ? error : raw(SYS_fchmodat, to, arg("."), st.st_mode & 07777);
}

}  // namespace

long do_step(const Attach& s, Context& c) {
    long mount = c.slots[s.slot];
    uint64_t resolve = s.no_symlinks ? RESOLVE_NO_SYMLINKS : 0;
    long target = raw_open_in_root(AT_FDCWD, s.target.c_str(), O_PATH, 0, resolve);
    if (target == -ENOENT && s.create != Create::no) {
        long error = 0;
        bool directory =
            s.create == Create::directory || (s.create == Create::like_source && is_directory(mount, error));
        if (error < 0) return error;
        target = make_point(s.target.c_str(), directory, resolve, s.uid, s.gid);
    } else if (target >= 0 && s.keep_mode) {
        if (long error = copy_mode(target, mount); error < 0) return raw_close(target), error;
    }
    if (target < 0) return target;
    const long clone = s.fresh ? raw_open_tree(mount, "", true, true) : -1;
    if (clone >= 0) fill(c, s.slot, clone), mount = clone;
    long error = raw_attach(mount, target);
    if (error >= 0 && s.fresh && clone < 0) error = attach_anew(mount, target);
    raw_close(target);
    return error;
}

long do_step(const MakePoint& s, Context& c) {
    uint64_t resolve = s.no_symlinks ? RESOLVE_NO_SYMLINKS : 0;
    long fd = raw_open_in_root(AT_FDCWD, s.path.c_str(), O_PATH, 0, resolve);
    if (fd == -ENOENT) {
        long error = 0;
        const bool directory = s.like == no_slot ? s.directory : is_directory(c.slots[s.like], error);
        if (error < 0) return error;
        fd = make_point(s.path.c_str(), directory, resolve, s.uid, s.gid);
    }
    raw_close(fd);
    return fd < 0 ? fd : 0;
}

long do_step(const SetAttr& s, Context& c) {
    if (s.slot != no_slot)
        return raw_set_attr(c.slots[s.slot], s.attr.set, s.attr.clear, s.attr.propagation, -1, s.recursive);
    long fd = raw_open_in_root(AT_FDCWD, s.target.c_str(), O_PATH);
    if (fd < 0) return fd;
    long error = raw_set_attr(fd, s.attr.set, s.attr.clear, s.attr.propagation, -1, s.recursive);
    raw_close(fd);
    return error;
}

namespace {

long bind_inside(const BindInside& s) {
    long source = raw_open_in_root(AT_FDCWD, s.source.c_str(), O_PATH);
    if (source < 0) return source;
    const bool itself = s.target.empty() || s.target == s.source;
    long target = itself ? source : raw_open_in_root(AT_FDCWD, s.target.c_str(), O_PATH);
    long mount = target < 0 ? target : raw_open_tree(source, "", true, s.recursive);
    long error = mount;
    if (error >= 0)
        error = raw_set_attr(mount, s.attr.set, s.attr.clear, s.attr.propagation, -1, s.recursive);
    if (error >= 0) error = raw_attach(mount, target);
    raw_close(mount);
    if (!itself) raw_close(target);
    raw_close(source);
    return error;
}

}  // namespace

long do_step(const BindInside& s, Context&) {
    long error = bind_inside(s);
    return error == -ENOENT && s.optional ? 0 : error;
}

// The cover comes from the stage, never from the tree or its /dev: a payload that swaps /dev/null for a link
// to a file it wants writable must not get it bound here (CVE-2025-31133).
long do_step(const Mask& s, Context& c) {
    // No O_NOFOLLOW: with it the link itself would be what is opened, and covered.
    long target =
        raw_open_in_root(AT_FDCWD, s.target.c_str(), O_PATH, 0, s.follow ? 0 : uint64_t{RESOLVE_NO_SYMLINKS});
    if (target < 0) return (target == -ENOENT || target == -ENOTDIR) && s.optional ? 0 : target;
    long error = 0;
    bool directory = is_directory(target, error);
    long cover =
        error < 0 ? error : raw_open_tree(c.stage, directory ? "blank-dir" : "blank-file", true, false);
    // The stage's root is read-only, nosuid, nodev and noexec, and a clone of it is, too.
    error = cover;
    if (error >= 0) error = raw_attach(cover, target);
    raw_close(cover);
    raw_close(target);
    return error;
}

long do_step(const DropStageApi&, Context&) {
    // Absolute paths start at the process's root, which is still the stage's own, below the machine's.
    long error = raw(SYS_umount2, arg("/p"), MNT_DETACH);
    return error < 0 ? error : raw(SYS_umount2, arg("/s"), MNT_DETACH);
}

long do_step(const EnterRoot&, Context&) {
    return raw(SYS_chroot, arg("."));
}

long do_step(const PivotRoot& s, Context&) {
    long root = raw_open_in_root(AT_FDCWD, s.new_root.c_str(), O_PATH | O_DIRECTORY);
    if (root < 0) return root;
    // The new root must be a mount of its own.
    long mount = raw_open_tree(root, "", true, true);
    long error = mount < 0 ? mount : raw_attach(mount, root);
    if (error >= 0) error = raw(SYS_fchdir, mount);
    if (error >= 0) {
        Path<4096> old;
        old.add(".").add(s.old.c_str());
        error = raw(SYS_pivot_root, arg("."), arg(s.old.empty() ? "." : old.text));
        if (error >= 0 && s.old.empty()) error = raw(SYS_umount2, arg("."), MNT_DETACH);
    }
    raw_close(mount);
    raw_close(root);
    return error < 0 ? error : raw(SYS_chdir, arg("/"));
}

}  // namespace croft::run
