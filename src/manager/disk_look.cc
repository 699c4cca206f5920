#include "manager/disk_look.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "host/tree.h"
#include "kernel/local_socket.h"
#include "kernel/loop.h"
#include "kernel/raw.h"
#include "manager/handover.h"

namespace croft::manager {
namespace {

using kernel::arg;
using kernel::raw;

constexpr size_t most_bytes = 32 << 10;

Result<long> check(long value, std::string_view doing) {
    if (value < 0) return os_error(static_cast<int>(-value), doing);
    return value;
}

// The path of the block device, which `loop` keeps.
Result<std::string> device_of(const std::string& image, const spec::DiskVolume& volume, Fd& loop) {
    if (!volume.device.empty()) return volume.device;
    Fd file = TRY(open_at(AT_FDCWD, image.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY));
    constexpr std::string_view doing = "attaching it to a loop device";
    auto made = check(kernel::raw_attach_loop(file.get(), {volume.offset, volume.size, true}, image.c_str()), doing);
    if (!made && made.error().err == ENOENT)
        return error(Errc::unsupported, "this host has no loop devices (modprobe loop; in a container they must be handed in)");
    loop = Fd(static_cast<int>(TRY(std::move(made))));
    return cat("/dev/loop", TRY(check(kernel::raw_loop_number(loop.get()), doing)));
}

// What the kernel has to say about it, one message a read, "e " in front of an error.
Error mount_error(int fs, const spec::DiskVolume& volume, long failed) {
    Error out = os_error(static_cast<int>(-failed), cat("mounting the ", volume.type, " for ", volume.target));
    char message[256];
    for (ssize_t n; (n = read(fs, message, sizeof message)) > 0;)
        if (n > 2 && message[0] == 'e') out.text += cat(" (", trim({message + 2, static_cast<size_t>(n - 2)}), ")");
    if (failed == -ENODEV) out.text += cat("; this kernel has no ", volume.type, ", or its module is not loaded");
    return out;
}

Result<Fd> mount_volume(const std::string& image, const spec::DiskVolume& volume) {
    Fd loop;
    std::string device = TRY(device_of(image, volume, loop));
    long opened = raw(SYS_fsopen, arg(volume.type.c_str()), FSOPEN_CLOEXEC);
    if (opened < 0) return mount_error(-1, volume, opened);
    Fd fs(static_cast<int>(opened));
    auto set = [&](unsigned command, const char* key, const char* value) {
        return raw(SYS_fsconfig, fs.get(), command, arg(key), arg(value), 0);
    };
    long e = set(FSCONFIG_SET_STRING, "source", device.c_str());
    if (e >= 0) e = set(FSCONFIG_SET_FLAG, "ro", nullptr);
    const std::string& option = volume.no_recovery;
    size_t equals = option.find('=');
    if (e >= 0 && !option.empty())
        e = equals == option.npos ? set(FSCONFIG_SET_FLAG, option.c_str(), nullptr)
                                  : set(FSCONFIG_SET_STRING, option.substr(0, equals).c_str(), option.c_str() + equals + 1);
    if (e >= 0) e = set(FSCONFIG_CMD_CREATE, nullptr, nullptr);
    if (e >= 0) e = raw(SYS_fsmount, fs.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (e < 0) return mount_error(fs.get(), volume, e);
    return Fd(static_cast<int>(e));
}

// An empty root for an image that has nothing but /usr.
Result<Fd> empty_root() {
    long fs = raw(SYS_fsopen, arg("tmpfs"), FSOPEN_CLOEXEC);
    if (fs >= 0) raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg("mode"), arg("0755"), 0);
    long e = fs < 0 ? fs : raw(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
    long mount = e < 0 ? e : raw(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
    kernel::raw_close(fs);
    Fd root(static_cast<int>(TRY(check(mount, "making an empty root"))));
    mkdirat(root.get(), "usr", 0755);
    return root;
}

// In the process: all mounted and attached, where nobody else sees it. Over /sys, which nothing here needs.
Result<Fd> mount_all(const std::string& image, const std::vector<spec::DiskVolume>& volumes) {
    Fd root, usr;
    for (const spec::DiskVolume& volume : volumes) {
        if (volume.target == "/") root = TRY(mount_volume(image, volume));
        if (volume.target == "/usr") usr = TRY(mount_volume(image, volume));
    }
    if (!root) root = TRY(empty_root());
    if (unshare(CLONE_NEWNS) < 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
        return os_error(errno, "making a mount namespace");
    Fd place = TRY(open_at(AT_FDCWD, "/sys", O_PATH | O_DIRECTORY));
    TRY(check(kernel::raw_attach(root.get(), place.get()), "mounting the root"));
    if (!usr) return root;
    Fd point = TRY(open_in_root(root.get(), "usr", O_PATH | O_DIRECTORY).within("the root's mount point for /usr"));
    TRY(check(kernel::raw_attach(usr.get(), point.get()), "mounting /usr"));
    return root;
}

[[noreturn]] void serve(int socket, const std::string& image, const std::vector<spec::DiskVolume>& volumes) {
    auto root = mount_all(image, volumes);
    if (!root) {
        (void)kernel::send_descriptors(socket, pack_error(root.error()), {});
        _exit(1);
    }
    int fd = root->get();
    (void)kernel::send_descriptors(socket, host::idmap_works(fd) ? "y" : "n", std::span(&fd, 1));
    char byte;
    while (read(socket, &byte, 1) < 0 && errno == EINTR) {
    }
    _exit(0);
}

}  // namespace

Result<DiskLook> DiskLook::open(const std::string& image, const std::vector<spec::DiskVolume>& volumes) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return os_error(errno, "making a socket");
    DiskLook out;
    out.gate_ = Fd(ends[0]);
    Fd theirs(ends[1]);
    pid_t child = fork();
    if (child < 0) return os_error(errno, "starting a process that looks into the image");
    if (child == 0) {
        out.gate_.reset();
        serve(theirs.get(), image, volumes);
    }
    out.process_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
    theirs.reset();
    std::vector<Fd> received;
    std::string answer = TRY(kernel::receive_descriptors(out.gate_.get(), most_bytes, received));
    if (answer.starts_with('E')) return unpack_error(answer);
    if (answer.empty() || received.size() != 1)
        return error(Errc::failed, "the process that looks into the image was killed");
    out.root_ = std::move(received[0]);
    out.maps_ids_ = answer[0] == 'y';
    return out;
}

DiskLook::~DiskLook() {
    if (!gate_) return;
    root_.reset(), gate_.reset();
    siginfo_t info = {};
    while (waitid(P_PIDFD, static_cast<id_t>(process_.get()), &info, WEXITED) < 0 && errno == EINTR) {
    }
}

}  // namespace croft::manager
