// Detached mounts: clones of trees, new file systems, overlays.
#include <linux/capability.h>
#include <sys/mount.h>

#include "kernel/loop.h"
#include "run/step_kinds.h"
#include "run/walk.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;
using kernel::raw_close;
using kernel::raw_open_in_root;
using kernel::raw_open_tree;
using kernel::raw_set_attr;
using namespace launch;

long do_step(const MakeUserns& s, Context& c) {
    const bool own = !s.uid_maps.empty();
    return fill(c, s.slot,
                make_userns(own ? s.uid_maps : c.plan->uid_maps, own ? s.gid_maps : c.plan->gid_maps));
}

long do_step(const OpenTree& s, Context& c) {
    long fd = s.base == no_slot && c.place == Place::host
                  ? raw_open_tree(AT_FDCWD, s.path.c_str(), true, s.recursive)
                  : -1;
    if (s.base != no_slot || c.place != Place::host) {
        long at = raw_open_in_root(base_of(c, s.base), s.path.c_str(), O_PATH);
        if (at < 0) return at;
        fd = raw_open_tree(at, "", true, s.recursive);
        raw_close(at);
    }
    if (fd < 0) return fd;
    long userns = s.idmap == no_slot ? -1 : c.slots[s.idmap];
    const uint64_t map = userns >= 0 ? MOUNT_ATTR_IDMAP : 0;
    uint64_t set = s.attr.set | (s.map_top ? 0 : map);
    // A clone of a shared mount is its peer: without this, what is mounted below it would appear on the host.
    uint64_t propagation = s.attr.propagation ? s.attr.propagation : uint64_t{MS_PRIVATE};
    long error = raw_set_attr(fd, set, s.attr.clear, propagation, s.map_top ? -1 : userns, s.recursive);
    if (error >= 0)
        error = raw_set_attr(fd, s.top_set | (s.map_top ? map : 0), s.top_clear, 0, s.map_top ? userns : -1, false);
    if (error < 0) {
        raw_close(fd);
        return error;
    }
    return fill(c, s.slot, fd);
}

namespace {

// fsconfig for every option, then the mount. The layers' own options of an overlay come before.
long configure(long fs, const std::vector<std::pair<std::string, std::string>>& options) {
    for (const auto& [key, value] : options) {
        long error = value.empty() ? raw(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, arg(key.c_str()), 0, 0)
                                   : raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg(key.c_str()),
                                         arg(value.c_str()), 0);
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

}  // namespace

long do_step(const OpenLoop& s, Context& c) {
    if (c.place != Place::host) return -EINVAL;
    // Neither a FIFO nor a terminal may hold this up; a loop device takes regular files and block devices.
    int flags = (s.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    long file = raw(SYS_openat, AT_FDCWD, arg(s.path.c_str()), flags);
    if (file < 0) return file;
    long device = kernel::raw_attach_loop(file, {s.offset, s.size, s.read_only}, s.path.c_str());
    raw_close(file);
    return fill(c, s.slot, device);
}

namespace {

// The device's own path, because that is what mountinfo shows.
long set_device(long fs, long device) {
    long number = kernel::raw_loop_number(device);
    if (number < 0) return number;
    Path<32> path;
    path.add("/dev/loop").add(number);
    return raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg("source"), arg(path.text), 0);
}

long make_fs(const MakeFs& s, Context& c) {
    long fs = raw(SYS_fsopen, arg(s.type.c_str()), FSOPEN_CLOEXEC);
    if (fs < 0) return fs;
    long error = 0;
    if (s.device != no_slot)
        error = set_device(fs, c.slots[s.device]);
    else if (!s.source.empty())
        error = raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg("source"), arg(s.source.c_str()), 0);
    if (error >= 0) error = configure(fs, s.options);
    long mount = create_mount(fs, error, s.attr, c);
    if (mount < 0 || s.idmap == no_slot) return mount;
    error = raw_set_attr(mount, MOUNT_ATTR_IDMAP, 0, 0, c.slots[s.idmap], false);
    if (error >= 0) return mount;
    raw_close(mount);
    return error;
}

}  // namespace

long do_step(const MakeFs& s, Context& c) {
    long mount = make_fs(s, c);
    if (mount == -EPERM && s.instead != no_slot) {
        c.reason[0] = '\0';
        mount = raw(SYS_fcntl, c.slots[s.instead], F_DUPFD_CLOEXEC, 3);
    }
    return fill(c, s.slot, mount);
}

namespace {

// The number of the slot's mount point below l/, where it is attached now if it was not before.
long attach_layer(Context& c, Slot slot) {
    for (size_t n = 0; n < c.used_layers; ++n)
        if (c.layers[n] == slot) return static_cast<long>(n);
    if (c.used_layers == c.layers.size()) return -E2BIG;
    Path<8> path;
    path.add("l/").add(LayerName(c.used_layers).text);
    long error =
        raw(SYS_move_mount, c.slots[slot], arg(""), c.stage, arg(path.text), MOVE_MOUNT_F_EMPTY_PATH);
    if (error < 0) return error;
    c.layers[c.used_layers] = slot;
    return static_cast<long>(c.used_layers++);
}

long set_layer(long fs, const char* key, long layer, const std::string& path) {
    Path<256> text;
    text.add(LayerName(static_cast<size_t>(layer)).text).add("/").add(path.c_str());
    return text.cut ? -ENAMETOOLONG : raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg(key), arg(text.text), 0);
}

// In one string as long as they fit; more of them one by one, which Linux has since 6.5.
long set_lowers(long fs, const MakeOverlay& s, Context& c) {
    Path<256> all;
    for (size_t i = 0; i < s.lowers.size(); ++i) {
        long n = attach_layer(c, s.lowers[i]);
        if (n < 0) return n;
        all.add(i ? ":" : "").add(LayerName(static_cast<size_t>(n)).text);
    }
    if (!all.cut) return raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg("lowerdir"), arg(all.text), 0);
    for (Slot slot : s.lowers) {
        LayerName one(static_cast<size_t>(attach_layer(c, slot)));
        long error = raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg("lowerdir+"), arg(one.text), 0);
        if (error < 0) return error == -EINVAL ? -E2BIG : error;
    }
    return 0;
}

long set_layers(long fs, const MakeOverlay& s, Context& c) {
    long error = set_lowers(fs, s, c);
    if (error < 0 || s.upper == no_slot) return error;
    long n = attach_layer(c, s.upper);
    if (n >= 0) error = set_layer(fs, "upperdir", n, s.upper_path);
    if (n >= 0 && error >= 0) error = set_layer(fs, "workdir", n, s.work_path);
    return n < 0 ? n : error;
}

}  // namespace

namespace {

// As MakeAs, and with all capabilities: changing the file system ids has taken those that are about files out
// of the effective set (capabilities(7)), and changing them back brings them back.
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

}  // namespace

// Kernels before 6.13 take layers by path only, so they are attached in the stage, and the paths are relative
// to its l/, because fsconfig(2) cuts strings at 255 bytes. The overlay keeps private clones of the layers,
// and the credentials of its mounter for all that it does in them later.
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

void detach_layers(Context& c) {
    for (size_t n = 0; n < c.used_layers; ++n) {
        Path<8> path;
        path.add("/l/").add(LayerName(n).text);
        raw(SYS_umount2, arg(path.text), MNT_DETACH);
    }
    c.used_layers = 0;
}

}  // namespace croft::run
