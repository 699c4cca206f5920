// Attempts on mounts, nodes and the kernel's files. Files are opened for writing, never written: the opening
// is what a fence must refuse. Mounts are tried on the caller's own /tmp or a directory below it.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <string>

#include "attempts.h"

namespace guest {
namespace {

int told(long result) {
    return result < 0 ? errno : 0;
}

int open_for(const char* path, int flags) {
    int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return errno;
    // A mask may give an empty file: what cannot be read from is as good as refused, and says ENODATA here.
    char byte;
    if ((flags & O_ACCMODE) == O_RDONLY && read(fd, &byte, 1) == 0) return ENODATA;
    return 0;
}

int mount_new(const char* type, const char* options = nullptr) {
    std::string on = attempt_place;
    int error = told(mount(type, on.c_str(), type, 0, options));
    if (error == 0) umount2(on.c_str(), MNT_DETACH);
    return error;
}

int mount_overlay() {
    std::string on = attempt_place;
    for (const char* part : {"/l", "/u", "/w", "/m"}) mkdir((on + part).c_str(), 0755);
    std::string options = "lowerdir=" + on + "/l,upperdir=" + on + "/u,workdir=" + on + "/w";
    int error = told(mount("overlay", (on + "/m").c_str(), "overlay", 0, options.c_str()));
    umount2((on + "/m").c_str(), MNT_DETACH);
    return error;
}

int make_filesystem(const char* type) {
    int fs = static_cast<int>(syscall(SYS_fsopen, type, 0));
    if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) return errno;
    return told(syscall(SYS_fsmount, fs, 0, 0));
}

int node_and_open(mode_t type, unsigned major_number, unsigned minor_number) {
    std::string path = attempt_place + "/node";
    if (mknod(path.c_str(), type | 0600, makedev(major_number, minor_number)) < 0) return errno;
    int error = told(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    unlink(path.c_str());
    return error;
}

int remount_writable(const char* path) {
    return told(mount("none", path, nullptr, MS_REMOUNT | MS_BIND, nullptr));
}
int take_off(const char* path) {
    return told(umount2(path, MNT_DETACH));
}

// Below a mask: bind the directory around it elsewhere, without what is mounted on it.
int under_mask(const char* directory, const char* below) {
    std::string on = attempt_place;
    if (mount(directory, on.c_str(), nullptr, MS_BIND, nullptr) < 0) return errno;
    int error = open_for((on + below).c_str(), O_RDONLY);
    umount2(on.c_str(), MNT_DETACH);
    return error;
}

// Whether anything is to be had in a directory: an empty stage with empty places in it is nothing.
bool holds_something(const char* path, int depth) {
    DIR* dir = opendir(path);
    bool found = false;
    while (dirent* entry = dir ? readdir(dir) : nullptr) {
        std::string below = std::string(path) + "/" + entry->d_name;
        struct stat st;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            lstat(below.c_str(), &st) < 0)
            continue;
        if (S_ISDIR(st.st_mode))
            found = found || (depth > 0 && holds_something(below.c_str(), depth - 1));
        else
            found = found || st.st_size > 0 || !S_ISREG(st.st_mode);
    }
    if (dir) closedir(dir);
    return found;
}

// The old way out of chroot: a process whose root is changed while its directory stays outside. Done means
// that it climbed to another root than the machine's and found something there.
int chroot_escape() {
    struct stat before, after;
    std::string on = attempt_place;
    if (stat("/", &before) < 0 || chroot(on.c_str()) < 0) return errno;
    for (int i = 0; i < 64; ++i)
        if (chdir("..") < 0) return errno;
    if (chroot(".") < 0 || stat("/", &after) < 0) return errno;
    bool same = before.st_dev == after.st_dev && before.st_ino == after.st_ino;
    return same || !holds_something("/", 2) ? EXDEV : 0;
}

// Any open directory that leads out of the root: up from it, then compare.
int escape_by_descriptor() {
    struct stat root, up;
    if (stat("/", &root) < 0) return errno;
    for (int fd = 0; fd < 1024; ++fd) {
        struct stat st;
        if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode)) continue;
        int dir =
            openat(fd, "../../../../../../../../../../../../../../../..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir >= 0 && fstat(dir, &up) == 0 && (up.st_dev != root.st_dev || up.st_ino != root.st_ino))
            return 0;
    }
    return EXDEV;
}

// CVE-2022-0492: a v1 hierarchy's release_agent runs on the host. Inside a new user and cgroup namespace too.
int release_agent() {
    std::string on = attempt_place;
    if (mount("cgroup", on.c_str(), "cgroup", 0, "rdma") < 0 &&
        mount("cgroup", on.c_str(), "cgroup", 0, "misc") < 0)
        return errno;
    int error = open_for((on + "/release_agent").c_str(), O_WRONLY);
    umount2(on.c_str(), MNT_DETACH);
    return error;
}
int release_agent_in_userns() {
    return unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP) < 0 ? errno : release_agent();
}

int own_fd_of(const char* path, int flags) {
    return told(open(path, flags | O_CLOEXEC));
}

}  // namespace

const Attempt file_attempts[] = {
    {"node-disk", [] { return node_and_open(S_IFBLK, 8, 0); }},
    {"node-loop", [] { return node_and_open(S_IFBLK, 7, 0); }},
    {"node-mem", [] { return node_and_open(S_IFCHR, 1, 1); }},
    {"node-kmsg", [] { return node_and_open(S_IFCHR, 1, 11); }},
    {"node-null", [] { return node_and_open(S_IFCHR, 1, 3); }},
    {"mount-proc", [] { return mount_new("proc"); }},
    {"mount-sysfs", [] { return mount_new("sysfs"); }},
    {"mount-tmpfs", [] { return mount_new("tmpfs"); }},
    {"mount-overlay", mount_overlay},
    {"mount-mqueue", [] { return mount_new("mqueue"); }},
    {"mount-cgroup2", [] { return mount_new("cgroup2"); }},
    {"mount-cgroup1-release-agent", release_agent},
    {"mount-cgroup1-release-agent-userns", release_agent_in_userns},
    {"mount-devtmpfs", [] { return mount_new("devtmpfs"); }},
    {"mount-debugfs", [] { return mount_new("debugfs"); }},
    {"mount-tracefs", [] { return mount_new("tracefs"); }},
    {"mount-securityfs", [] { return mount_new("securityfs"); }},
    {"mount-bpf", [] { return mount_new("bpf"); }},
    {"fsopen-sysfs", [] { return make_filesystem("sysfs"); }},
    {"fsopen-proc", [] { return make_filesystem("proc"); }},
    {"remount-root-writable", [] { return remount_writable("/"); }},
    {"remount-proc-sys-writable", [] { return remount_writable("/proc/sys"); }},
    {"remount-sys-writable", [] { return remount_writable("/sys"); }},
    {"unmount-proc-sys", [] { return take_off("/proc/sys"); }},
    {"unmount-kcore-mask", [] { return take_off("/proc/kcore"); }},
    {"unmount-sysrq-mask", [] { return take_off("/proc/sysrq-trigger"); }},
    {"unmount-firmware-mask", [] { return take_off("/sys/firmware"); }},
    {"look-under-proc-masks", [] { return under_mask("/proc", "/kallsyms"); }},
    {"read-kcore", [] { return open_for("/proc/kcore", O_RDONLY); }},
    {"read-kallsyms", [] { return open_for("/proc/kallsyms", O_RDONLY); }},
    {"read-keys", [] { return open_for("/proc/keys", O_RDONLY); }},
    {"read-timer-list", [] { return open_for("/proc/timer_list", O_RDONLY); }},
    {"read-kmsg", [] { return own_fd_of("/proc/kmsg", O_RDONLY | O_NONBLOCK); }},
    {"write-sysrq", [] { return open_for("/proc/sysrq-trigger", O_WRONLY); }},
    {"write-core-pattern", [] { return open_for("/proc/sys/kernel/core_pattern", O_WRONLY); }},
    {"write-modprobe", [] { return open_for("/proc/sys/kernel/modprobe", O_WRONLY); }},
    {"write-panic", [] { return open_for("/proc/sys/kernel/panic", O_WRONLY); }},
    {"write-printk", [] { return open_for("/proc/sys/kernel/printk", O_WRONLY); }},
    {"write-swappiness", [] { return open_for("/proc/sys/vm/swappiness", O_WRONLY); }},
    {"write-binfmt", [] { return open_for("/proc/sys/fs/binfmt_misc/register", O_WRONLY); }},
    {"write-ip-forward", [] { return open_for("/proc/sys/net/ipv4/ip_forward", O_WRONLY); }},
    {"write-irq-affinity", [] { return open_for("/proc/irq/default_smp_affinity", O_WRONLY); }},
    {"write-uevent-helper", [] { return open_for("/sys/kernel/uevent_helper", O_WRONLY); }},
    {"write-power-state", [] { return open_for("/sys/power/state", O_WRONLY); }},
    {"write-cgroup-max", [] { return open_for("/sys/fs/cgroup/cgroup.max.depth", O_WRONLY); }},
    {"make-cgroup",
     [] {
         int error = told(mkdir("/sys/fs/cgroup/probe-made", 0755));
         rmdir("/sys/fs/cgroup/probe-made");
         return error;
     }},
    {"write-own-executable", [] { return own_fd_of("/proc/self/exe", O_WRONLY); }},
    {"write-init-executable", [] { return own_fd_of("/proc/1/exe", O_WRONLY); }},
    {"open-init-root", [] { return own_fd_of("/proc/1/root", O_PATH | O_DIRECTORY); }},
    {"chroot-escape", chroot_escape},
    {"escape-by-descriptor", escape_by_descriptor},
    {nullptr, nullptr}};

}  // namespace guest
