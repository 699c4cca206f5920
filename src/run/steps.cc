// Each step as system calls. See launch/steps.h for what they mean and run/context.h for the rules.
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/magic.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <signal.h>

#include "kernel/raw.h"
#include "run/context.h"
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

namespace {

// The directory fd of a slot; without one, the machine's root, which is the working directory from AttachRoot on.
long base_of(const Context& c, Slot slot) { return slot == no_slot ? AT_FDCWD : c.slots[slot]; }

long fill(Context& c, Slot slot, long fd) {
    if (fd < 0) return fd;
    if (slot >= max_slots) return -EOVERFLOW;
    raw_close(c.slots[slot]);
    c.slots[slot] = static_cast<int>(fd);
    return 0;
}

// File system ids for the moment of making something, so that it belongs to them and an idmapped tree accepts it.
struct MakeAs {
    MakeAs(uint32_t uid, uint32_t gid) : changed(uid || gid) {
        if (!changed) return;
        raw(SYS_setfsgid, gid);
        raw(SYS_setfsuid, uid);
    }
    ~MakeAs() {
        if (!changed) return;
        raw(SYS_setfsuid, 0);
        raw(SYS_setfsgid, 0);
    }
    bool changed;
};

// As MakeAs, and with all capabilities: changing the file system ids has taken those that are about files out of the
// effective set (capabilities(7)), and changing them back brings them back.
struct MountAs {
    MountAs(uint32_t uid, uint32_t gid) : as(uid, gid) {
        if (!as.changed) return;
        __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
        __user_cap_data_struct data[2] = {};
        if (raw(SYS_capget, arg(&header), arg(data)) < 0) return;
        for (auto& half : data) half.effective = half.permitted;
        raw(SYS_capset, arg(&header), arg(data));
    }
    MakeAs as;
};

long do_step(const MakeUserns& s, Context& c) {
    const bool own = !s.uid_maps.empty();
    return fill(c, s.slot, make_userns(own ? s.uid_maps : c.plan->uid_maps, own ? s.gid_maps : c.plan->gid_maps));
}

long do_step(const OpenTree& s, Context& c) {
    long fd = s.base == no_slot && c.place == Place::host ? raw_open_tree(AT_FDCWD, s.path.c_str(), true, s.recursive) : -1;
    if (s.base != no_slot || c.place != Place::host) {
        long at = raw_open_in_root(base_of(c, s.base), s.path.c_str(), O_PATH);
        if (at < 0) return at;
        fd = raw_open_tree(at, "", true, s.recursive);
        raw_close(at);
    }
    if (fd < 0) return fd;
    long userns = s.idmap == no_slot ? -1 : c.slots[s.idmap];
    uint64_t set = s.attr.set | (userns >= 0 ? MOUNT_ATTR_IDMAP : 0);
    // A clone of a shared mount is its peer: without this, what is mounted below it would appear on the host.
    uint64_t propagation = s.attr.propagation ? s.attr.propagation : uint64_t{MS_PRIVATE};
    long error = raw_set_attr(fd, set, s.attr.clear, propagation, userns, s.recursive);
    if (error < 0) {
        raw_close(fd);
        return error;
    }
    return fill(c, s.slot, fd);
}

// fsconfig for every option, then the mount. The layers' own options of an overlay come before.
long configure(long fs, const std::vector<std::pair<std::string, std::string>>& options) {
    for (const auto& [key, value] : options) {
        long error = value.empty() ? raw(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, arg(key.c_str()), 0, 0)
                                   : raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg(key.c_str()), arg(value.c_str()), 0);
        if (error < 0) return error;
    }
    return 0;
}

// A file system context keeps what the kernel had to say, one message a read, "e " in front of an error.
void keep_reason(long fs, Context& c) {
    char message[sizeof c.reason];
    for (long n; (n = raw(SYS_read, fs, arg(message), sizeof message - 1)) > 0;) {
        if (n < 3 || message[0] != 'e') continue;
        for (long i = 2; i < n; ++i) c.reason[i - 2] = message[i] == '\n' ? '\0' : message[i];
        c.reason[n - 2] = '\0';
    }
}

// From the configured context to a detached mount, or -errno and the kernel's reason.
long create_mount(long fs, long error, uint64_t attr, Context& c) {
    if (error >= 0) error = raw(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
    if (error >= 0) error = raw(SYS_fsmount, fs, FSMOUNT_CLOEXEC, static_cast<long>(attr));
    if (error < 0) keep_reason(fs, c);
    raw_close(fs);
    return error;
}

long do_step(const MakeFs& s, Context& c) {
    long fs = raw(SYS_fsopen, arg(s.type.c_str()), FSOPEN_CLOEXEC);
    if (fs < 0) return fs;
    long error = s.source.empty() ? 0 : raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg("source"), arg(s.source.c_str()), 0);
    if (error >= 0) error = configure(fs, s.options);
    return fill(c, s.slot, create_mount(fs, error, s.attr, c));
}

// The number of the slot's mount point below l/, where it is attached now if it was not before.
long attach_layer(Context& c, Slot slot) {
    for (size_t n = 0; n < c.used_layers; ++n)
        if (c.layers[n] == slot) return static_cast<long>(n);
    if (c.used_layers == c.layers.size()) return -E2BIG;
    Path<8> path;
    path.add("l/").add(LayerName(c.used_layers).text);
    long error = raw(SYS_move_mount, c.slots[slot], arg(""), c.stage, arg(path.text), MOVE_MOUNT_F_EMPTY_PATH);
    if (error < 0) return error;
    c.layers[c.used_layers] = slot;
    return static_cast<long>(c.used_layers++);
}

long set_layer(long fs, const char* key, long layer, const std::string& path) {
    Path<256> text;
    text.add(LayerName(static_cast<size_t>(layer)).text).add("/").add(path.c_str());
    return text.cut ? -ENAMETOOLONG : raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg(key), arg(text.text), 0);
}

long set_layers(long fs, const MakeOverlay& s, Context& c) {
    Path<256> lower;
    for (size_t i = 0; i < s.lowers.size(); ++i) {
        long n = attach_layer(c, s.lowers[i]);
        if (n < 0) return n;
        lower.add(i ? ":" : "").add(LayerName(static_cast<size_t>(n)).text);
    }
    if (lower.cut) return -E2BIG;
    long error = raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg("lowerdir"), arg(lower.text), 0);
    if (error < 0 || s.upper == no_slot) return error;
    long n = attach_layer(c, s.upper);
    if (n >= 0) error = set_layer(fs, "upperdir", n, s.upper_path);
    if (n >= 0 && error >= 0) error = set_layer(fs, "workdir", n, s.work_path);
    return n < 0 ? n : error;
}

// Kernels before 6.13 take layers by path only, so they are attached in the stage, and the paths are relative to its
// l/, because fsconfig(2) cuts strings at 255 bytes. The overlay keeps private clones of the layers, and the
// credentials of its mounter for all that it does in them later.
long do_step(const MakeOverlay& s, Context& c) {
    if (c.place != Place::stage) return -EINVAL;
    MountAs mounter(s.uid, s.gid);
    long before = raw(SYS_openat, AT_FDCWD, arg("."), O_PATH | O_CLOEXEC);
    long layers = raw(SYS_openat, c.stage, arg("l"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    long fs = raw(SYS_fsopen, arg("overlay"), FSOPEN_CLOEXEC);
    long error = before < 0 ? before : layers < 0 ? layers : fs < 0 ? fs : raw(SYS_fchdir, layers);
    long mount = error;
    if (error >= 0) {
        error = raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg("source"), arg("croft"), 0);
        if (error >= 0) error = set_layers(fs, s, c);
        if (error >= 0) error = configure(fs, s.options);
        mount = create_mount(fs, error, s.attr, c);
        raw(SYS_fchdir, before);
    }
    raw_close(layers);
    raw_close(before);
    return fill(c, s.slot, mount);
}

// On top of the stage's own root: nothing of the stage can be walked to from inside, and no pivot_root is needed,
// which would look at every task of the host.
long do_step(const AttachRoot& s, Context& c) {
    int root = c.slots[s.slot];
    long error = raw(SYS_move_mount, root, arg(""), AT_FDCWD, arg("/"), MOVE_MOUNT_F_EMPTY_PATH);
    return error < 0 ? error : raw(SYS_fchdir, root);
}

bool is_directory(long fd, long& error) {
    struct stat st;
    error = raw(SYS_newfstatat, fd, arg(""), arg(&st), AT_EMPTY_PATH);
    return error >= 0 && S_ISDIR(st.st_mode);
}

long do_step(const Attach& s, Context& c) {
    long mount = c.slots[s.slot];
    uint64_t resolve = s.no_symlinks ? RESOLVE_NO_SYMLINKS : 0;
    long target = raw_open_in_root(AT_FDCWD, s.target.c_str(), O_PATH, 0, resolve);
    if (target == -ENOENT && s.create != Create::no) {
        long error = 0;
        bool directory = s.create == Create::directory || (s.create == Create::like_source && is_directory(mount, error));
        if (error < 0) return error;
        MakeAs owner(s.uid, s.gid);
        target = make_mount_point(AT_FDCWD, s.target.c_str(), directory, resolve);
    }
    if (target < 0) return target;
    long error = raw_attach(mount, target);
    raw_close(target);
    return error;
}

long do_step(const MakeDir& s, Context& c) {
    Leaf leaf(base_of(c, s.base), s.path.c_str());
    if (leaf.failed()) return leaf.directory;
    long error = 0;
    {
        MakeAs owner(s.uid, s.gid);
        error = raw(SYS_mkdirat, leaf.directory, arg(leaf.name), s.mode);
    }
    // A directory of the host's that its owner may not write to (the scratch directory): made by root and given away.
    if (error == -EACCES && c.place == Place::host && (s.uid || s.gid)) {
        error = raw(SYS_mkdirat, leaf.directory, arg(leaf.name), s.mode);
        if (error >= 0) error = raw(SYS_fchownat, leaf.directory, arg(leaf.name), s.uid, s.gid, AT_SYMLINK_NOFOLLOW);
    }
    return error == -EEXIST ? 0 : error;
}

long do_step(const MakeNode& s, Context& c) {
    Leaf leaf(base_of(c, s.base), s.path.c_str());
    if (leaf.failed()) return leaf.directory;
    // Not made under other file system ids: those would take CAP_MKNOD away. /dev is a fresh tmpfs, which takes any.
    long error = raw(SYS_mknodat, leaf.directory, arg(leaf.name), (s.type == 'b' ? S_IFBLK : S_IFCHR) | s.mode,
                     static_cast<long>(makedev(s.major, s.minor)));
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

long open_new_file(const Leaf& leaf, uint32_t mode, bool replace) {
    if (replace) raw(SYS_unlinkat, leaf.directory, arg(leaf.name), 0);
    long fd = raw(SYS_openat, leaf.directory, arg(leaf.name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
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

long do_step(const MakeFile& s, Context& c) {
    Leaf leaf(base_of(c, s.base), s.path.c_str());
    if (leaf.failed()) return leaf.directory;
    MakeAs owner(s.uid, s.gid);
    long fd = open_new_file(leaf, s.mode, s.replace);
    if (fd < 0) return fd;
    char uuid[37];
    long error = s.random_uuid ? random_uuid(uuid) : 0;
    if (error >= 0)
        error = s.random_uuid ? write_fully(fd, uuid, sizeof uuid) : write_fully(fd, s.content.data(), s.content.size());
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

long do_step(const CopyFile& s, Context& c) {
    long error = copy_file(s, c);
    return s.optional ? 0 : error;
}

// Bound by its path below the slot's fd: /proc/self/fd/N/PATH would need a proc in the stage, so the directory becomes
// the working directory for the moment.
long do_step(const NotifySocket& s, Context& c) {
    Leaf leaf(base_of(c, s.base), s.path.c_str());
    if (leaf.failed()) return leaf.directory;
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    for (size_t i = 0; leaf.name[i] && i + 1 < sizeof address.sun_path; ++i) address.sun_path[i] = leaf.name[i];
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
    if (error >= 0) error = raw(SYS_fchownat, AT_FDCWD, arg(address.sun_path), s.uid, s.gid, AT_SYMLINK_NOFOLLOW);
    raw(SYS_fchdir, before);
    raw_close(before);
    if (error >= 0) return fill(c, s.slot, fd);
    raw_close(fd);
    return error;
}

long do_step(const SetAttr& s, Context&) {
    long fd = raw_open_in_root(AT_FDCWD, s.target.c_str(), O_PATH);
    if (fd < 0) return fd;
    long error = raw_set_attr(fd, s.attr.set, s.attr.clear, s.attr.propagation, -1, s.recursive);
    raw_close(fd);
    return error;
}

long bind_inside(const BindInside& s) {
    long source = raw_open_in_root(AT_FDCWD, s.source.c_str(), O_PATH);
    if (source < 0) return source;
    const bool itself = s.target.empty() || s.target == s.source;
    long target = itself ? source : raw_open_in_root(AT_FDCWD, s.target.c_str(), O_PATH);
    long mount = target < 0 ? target : raw_open_tree(source, "", true, s.recursive);
    long error = mount;
    if (error >= 0) error = raw_set_attr(mount, s.attr.set, s.attr.clear, s.attr.propagation, -1, s.recursive);
    if (error >= 0) error = raw_attach(mount, target);
    raw_close(mount);
    if (!itself) raw_close(target);
    raw_close(source);
    return error;
}

long do_step(const BindInside& s, Context&) {
    long error = bind_inside(s);
    return error == -ENOENT && s.optional ? 0 : error;
}

// The cover comes from the stage, never from the tree or its /dev: a payload that swaps /dev/null for a link to a file
// it wants writable must not get it bound here (CVE-2025-31133).
long do_step(const Mask& s, Context& c) {
    // No O_NOFOLLOW: with it the link itself would be what is opened, and covered.
    long target = raw_open_in_root(AT_FDCWD, s.target.c_str(), O_PATH, 0, RESOLVE_NO_SYMLINKS);
    if (target < 0) return target == -ENOENT && s.optional ? 0 : target;
    long error = 0;
    bool directory = is_directory(target, error);
    long cover = error < 0 ? error : raw_open_tree(c.stage, directory ? "blank-dir" : "blank-file", true, false);
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

long do_step(const EnterRoot&, Context&) { return raw(SYS_chroot, arg(".")); }

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

long do_step(const Sysctl& s, Context&) {
    Path<512> path;
    path.add("/proc/sys/").add(s.path.c_str());
    if (path.cut) return -ENAMETOOLONG;
    long fd = raw_open_in_root(AT_FDCWD, path.text, O_WRONLY, 0, RESOLVE_NO_SYMLINKS);
    if (fd < 0) return fd;
    // Only a real proc is written to, never a file that the tree has put there (CVE-2025-52881).
    struct statfs fs;
    long error = raw(SYS_fstatfs, fd, arg(&fs));
    if (error >= 0 && fs.f_type != PROC_SUPER_MAGIC) error = -EXDEV;
    long n = error < 0 ? error : raw(SYS_write, fd, arg(s.value.data()), static_cast<long>(s.value.size()));
    raw_close(fd);
    return n < 0 ? n : 0;
}

long do_step(const SetHostname& s, Context&) {
    long error = raw(SYS_sethostname, arg(s.hostname.data()), static_cast<long>(s.hostname.size()));
    if (error < 0 || s.domainname.empty()) return error;
    return raw(SYS_setdomainname, arg(s.domainname.data()), static_cast<long>(s.domainname.size()));
}

long do_step(const LoopbackUp&, Context&) {
    long fd = raw(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return fd;
    ifreq request = {};
    request.ifr_name[0] = 'l', request.ifr_name[1] = 'o';
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    long error = raw(SYS_ioctl, fd, SIOCSIFFLAGS, arg(&request));
    raw_close(fd);
    return error;
}

// The master of a new terminal in the machine's own devpts, whatever else may lie at that path.
long open_master() {
    long master = raw_open_in_root(AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, 0, RESOLVE_NO_SYMLINKS);
    if (master < 0) return master;
    struct statfs fs;
    int unlock = 0;
    long error = raw(SYS_fstatfs, master, arg(&fs));
    if (error >= 0 && fs.f_type != DEVPTS_SUPER_MAGIC) error = -ENODEV;
    if (error >= 0) error = raw(SYS_ioctl, master, TIOCSPTLCK, arg(&unlock));
    if (error >= 0) error = raw(SYS_fcntl, master, F_SETFL, O_RDWR);
    if (error < 0) raw_close(master);
    return error < 0 ? error : master;
}

// The slave itself is bound, by its descriptor: no path that a tree could have bent is walked to it (CVE-2025-52565).
long bind_console(long slave) {
    long mount = raw_open_tree(slave, "", true, false);
    long target = mount < 0 ? mount : make_mount_point(AT_FDCWD, "/dev/console", false, RESOLVE_NO_SYMLINKS);
    long error = target < 0 ? target : raw_attach(mount, target);
    raw_close(mount);
    raw_close(target);
    return error;
}

long do_step(const OpenConsole& s, Context& c) {
    long master = open_master();
    if (master < 0) return master;
    // TIOCGPTPEER opens the slave by the master, not by a path.
    long slave = raw(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    long error = slave;
    winsize size = {.ws_row = s.rows, .ws_col = s.columns, .ws_xpixel = 0, .ws_ypixel = 0};
    const Process& p = c.plan->process;
    if (error >= 0 && s.rows) error = raw(SYS_ioctl, slave, TIOCSWINSZ, arg(&size));
    if (error >= 0 && p.uid) error = raw(SYS_fchown, slave, p.uid, static_cast<long>(p.gid));
    if (error >= 0 && s.console) error = bind_console(slave);
    if (error >= 0) error = send_message(c.sync, "c", 1, static_cast<int>(master));
    raw_close(master);
    c.terminal = static_cast<int>(slave);
    return error < 0 ? error : 0;
}

long do_step(const Fail& s, Context&) { return s.error > 0 ? -s.error : -EIO; }

}  // namespace

void detach_layers(Context& c) {
    for (size_t n = 0; n < c.used_layers; ++n) {
        Path<8> path;
        path.add("/l/").add(LayerName(n).text);
        raw(SYS_umount2, arg(path.text), MNT_DETACH);
    }
    c.used_layers = 0;
}

long perform(const Step& step, Context& context) {
    return std::visit([&](const auto& s) { return do_step(s, context); }, step);
}

}  // namespace croft::run
