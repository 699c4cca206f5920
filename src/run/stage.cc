#include "run/stage.h"

#include <linux/magic.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "kernel/raw.h"
#include "run/context.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;

namespace {

constexpr uint64_t quiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

long mount_at(const char* type, int directory, const char* target, unsigned long extra = 0) {
    long fs = raw(SYS_fsopen, arg(type), FSOPEN_CLOEXEC);
    if (fs < 0) return fs;
    long error = raw(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
    long mount = error < 0 ? error : raw(SYS_fsmount, fs, FSMOUNT_CLOEXEC, quiet | extra);
    kernel::raw_close(fs);
    if (mount >= 0)
        error = raw(SYS_move_mount, mount, arg(""), directory, arg(target), MOVE_MOUNT_F_EMPTY_PATH);
    kernel::raw_close(mount);
    return mount < 0 ? mount : error;
}

long make_tmpfs() {
    long fs = raw(SYS_fsopen, arg("tmpfs"), FSOPEN_CLOEXEC);
    if (fs < 0) return fs;
    raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg("mode"), arg("0755"), 0);
    long error = raw(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
    if (error >= 0) error = raw(SYS_fsmount, fs, FSMOUNT_CLOEXEC, quiet);
    kernel::raw_close(fs);
    return error;
}

long make_directories(long root) {
    for (const char* name : {"p", "s", "l"})
        if (long error = raw(SYS_mkdirat, root, arg(name), 0755); error < 0) return error;
    for (size_t n = 0; n < std::tuple_size_v<decltype(Context::layers)>; ++n) {
        std::string path = cat("l/", LayerName(n).text);
        if (long error = raw(SYS_mkdirat, root, arg(path.c_str()), 0700); error < 0) return error;
    }
    long error = raw(SYS_mkdirat, root, arg("blank-dir"), 0);
    return error < 0 ? error : raw(SYS_mknodat, root, arg("blank-file"), 0100000, 0);
}

// proc belongs to the PID namespace of who mounts it, so a process of the new one does it and is gone: what
// stays shows no process at all.
long mount_dead_proc(int root) {
    pid_t pid = fork();
    if (pid == 0) {
        long error = mount_at("proc", root, "p");
        _exit(error < 0 ? static_cast<int>(-error) : 0);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) < 0) return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

// EPERM: whoever runs croft sees no whole proc or sysfs himself (he is in a container), so the kernel allows
// him none. The stage is good without; a machine with private users then cannot mount its own and says so.
bool tolerable(long error) {
    return error >= 0 || error == -EPERM;
}

// In a mount namespace of its own. proc and sysfs come while the host's are still there to be seen, because
// it is they that allow further ones; then the tmpfs, mounted over the host's root, becomes the only tree.
long build() {
    if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) < 0) return -errno;
    long error = raw(SYS_mount, arg("none"), arg("/"), 0, MS_REC | MS_PRIVATE, 0);
    if (error < 0) return error;
    int root = static_cast<int>(make_tmpfs());
    if (root < 0) return root;
    error = make_directories(root);
    if (error >= 0) error = raw(SYS_move_mount, root, arg(""), AT_FDCWD, arg("/"), MOVE_MOUNT_F_EMPTY_PATH);
    if (error < 0) return error;
    if (error = mount_dead_proc(root); !tolerable(error)) return error;
    error = mount_at("sysfs", root, "s");
    // A user's (or a container's) croft may have a writable one only where it sees a writable one.
    if (error == -EPERM) error = mount_at("sysfs", root, "s", MOUNT_ATTR_RDONLY);
    if (!tolerable(error)) return error;
    error = raw(SYS_fchdir, root);
    if (error >= 0) error = raw(SYS_pivot_root, arg("."), arg("."));
    if (error >= 0) error = raw(SYS_umount2, arg("."), MNT_DETACH);
    return error < 0 ? error : kernel::raw_set_attr(root, MOUNT_ATTR_RDONLY, 0, 0, -1, false);
}

// The builder waits after its report until we have opened its namespace.
Result<Fd> build_in_child() {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return os_error(errno, "making a socket pair");
    Fd ours(pair[0]), theirs(pair[1]);
    pid_t pid = fork();
    if (pid < 0) return os_error(errno, "making a process for the stage");
    if (pid == 0) {
        ours.reset();  // or the end of our maker would never be seen
        long error = build();
        int code = static_cast<int>(error < 0 ? -error : 0);
        char byte;
        if (write(theirs.get(), &code, sizeof code) == sizeof code && read(theirs.get(), &byte, 1) < 0)
            _exit(1);
        _exit(0);
    }
    theirs.reset();
    int code = EIO;
    ssize_t n = read(ours.get(), &code, sizeof code);
    Result<Fd> fd = open_at(AT_FDCWD, cat("/proc/", pid, "/ns/mnt").c_str(), O_RDONLY);
    ours.reset();
    waitpid(pid, nullptr, 0);
    if (n != sizeof code || code)
        return os_error(n == sizeof code ? code : EIO, "making the stage's mount namespace");
    return fd;
}

Result<Fd> open_pinned(int run_directory) {
    Fd fd = TRY(open_at(run_directory, "stage/ns", O_RDONLY | O_NOFOLLOW));
    struct statfs fs;
    if (fstatfs(fd.get(), &fs) < 0 || fs.f_type != NSFS_MAGIC)
        return error(Errc::not_found, "the stage is not pinned");
    return fd;
}

// One bind of the namespace's file, which then lives as long as the mount.
int bind_namespace(int directory, int ns) {
    Result<Fd> file = open_at(directory, "ns", O_RDONLY | O_CREAT | O_NOFOLLOW, 0600);
    if (!file) return file.error().err;
    std::string source = cat("/proc/self/fd/", ns), target = cat("/proc/self/fd/", file->get());
    return mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) < 0 ? errno : 0;
}

// Where RUN is on a shared mount (as systemd has it) the kernel will not spread a mount namespace's file to
// the peers and says EINVAL: then the directory becomes a private mount first. It says the same where our own mount
// namespace counts as the younger one, lest they hold each other: since Linux 6.18 by numbers that each processor gives out
// for itself, so that outside the first namespace of a host this may be so at random.
Result<> pin(int run_directory, int ns) {
    if (mkdirat(run_directory, "stage", 0700) < 0 && errno != EEXIST)
        return os_error(errno, "making the stage's directory");
    Fd directory = TRY(open_at(run_directory, "stage", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    int err = bind_namespace(directory.get(), ns);
    if (err == EINVAL) {
        std::string path = cat("/proc/self/fd/", directory.get());
        if (mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) < 0)
            return os_error(errno, "pinning the stage");
        directory = TRY(open_at(run_directory, "stage", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        path = cat("/proc/self/fd/", directory.get());
        if (mount(nullptr, path.c_str(), nullptr, MS_PRIVATE, nullptr) < 0)
            return os_error(errno, "pinning the stage");
        err = bind_namespace(directory.get(), ns);
        if (err) umount2(path.c_str(), MNT_DETACH);
    }
    if (err) return os_error(err, "pinning the stage");
    return {};
}

// The pinned one; a new one, which is pinned if that is possible.
Result<Fd> stage_namespace(int run_directory) {
    if (run_directory < 0) return build_in_child();
    if (Result<Fd> fd = open_pinned(run_directory)) return fd;
    // Two first starts at once: one builds, the other finds it pinned.
    Fd lock = TRY(open_at(run_directory, "stage.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    while (flock(lock.get(), LOCK_EX) < 0 && errno == EINTR) {
    }
    if (Result<Fd> fd = open_pinned(run_directory)) return fd;
    Fd ns = TRY(build_in_child());
    if (Result<> pinned = pin(run_directory, ns.get()); !pinned) debug(pinned.error().text);
    return ns;
}

// Being among the wrong mounts is nothing to go on with: the next step would act on the wrong files.
void must(int result) {
    if (result == 0) return;
    log(LogLevel::error, cat("cannot get back to the host's mounts: ", errno_text(errno)));
    _exit(125);
}

}  // namespace

Stage::Stage(Stage&& other) noexcept
    : namespace_(std::move(other.namespace_)),
      root_(std::move(other.root_)),
      directory_(std::move(other.directory_)),
      inside_(std::exchange(other.inside_, false)) {}

Result<Stage> Stage::enter(int run_directory) {
    Fd stage = TRY(stage_namespace(run_directory));
    Stage scope;
    scope.namespace_ = TRY(open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY));
    scope.root_ = TRY(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
    scope.directory_ = TRY(open_at(AT_FDCWD, ".", O_PATH | O_DIRECTORY));
    if (setns(stage.get(), CLONE_NEWNS) < 0) return os_error(errno, "entering the stage's mount namespace");
    scope.inside_ = true;
    if (unshare(CLONE_NEWNS) < 0) return os_error(errno, "making a mount namespace");
    return scope;
}

void Stage::leave() {
    if (!std::exchange(inside_, false)) return;
    must(setns(namespace_.get(), CLONE_NEWNS));
    // setns puts us at that namespace's own root; a caller that was chrooted goes back there.
    must(fchdir(root_.get()));
    must(chroot("."));
    must(fchdir(directory_.get()));
}

Result<> pin_stage(int run_directory) {
    TRY(stage_namespace(run_directory));
    if (!open_pinned(run_directory)) return error(Errc::unsupported, "the stage cannot be pinned here");
    return {};
}

Result<> unpin_stage(int run_directory) {
    std::string path = cat("/proc/self/fd/", run_directory, "/stage");
    if (umount2(cat(path, "/ns").c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != ENOENT &&
        errno != EINVAL)
        return os_error(errno, "unpinning the stage");
    // EINVAL: it was no mount of its own.
    if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != ENOENT && errno != EINVAL)
        return os_error(errno, "unpinning the stage");
    if (unlinkat(run_directory, "stage/ns", 0) < 0 && errno != ENOENT)
        return os_error(errno, "removing the stage's pin");
    for (const char* name : {"stage", "stage.lock"})
        if (unlinkat(run_directory, name, name[5] ? 0 : AT_REMOVEDIR) < 0 && errno != ENOENT)
            return os_error(errno, "removing the stage's pin");
    return {};
}

}  // namespace croft::run
