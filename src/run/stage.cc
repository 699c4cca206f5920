#include "run/stage.h"

#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <linux/magic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "kernel/raw.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;

namespace {

constexpr uint64_t quiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

long mount_at(const char* type, int directory, const char* target) {
    long fs = raw(SYS_fsopen, arg(type), FSOPEN_CLOEXEC);
    if (fs < 0) return fs;
    long error = raw(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
    long mount = error < 0 ? error : raw(SYS_fsmount, fs, FSMOUNT_CLOEXEC, quiet);
    kernel::raw_close(fs);
    if (mount >= 0) error = raw(SYS_move_mount, mount, arg(""), directory, arg(target), MOVE_MOUNT_F_EMPTY_PATH);
    kernel::raw_close(mount);
    return mount < 0 ? mount : error;
}

// A tmpfs with the stage's directories: becomes the only mount of this (private) namespace.
long make_root(int run_directory) {
    long fs = raw(SYS_fsopen, arg("tmpfs"), FSOPEN_CLOEXEC);
    if (fs < 0) return fs;
    raw(SYS_fsconfig, fs, FSCONFIG_SET_STRING, arg("mode"), arg("0755"), 0);
    long error = raw(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
    long root = error < 0 ? error : raw(SYS_fsmount, fs, FSMOUNT_CLOEXEC, quiet);
    kernel::raw_close(fs);
    if (root < 0) return root;
    for (const char* name : {"p", "s", "l"})
        if ((error = raw(SYS_mkdirat, root, arg(name), 0555)) < 0) return error;
    if ((error = raw(SYS_mkdirat, root, arg("blank-dir"), 0)) < 0) return error;
    if ((error = raw(SYS_mknodat, root, arg("blank-file"), 0100000, 0)) < 0) return error;
    if ((error = raw(SYS_move_mount, root, arg(""), run_directory, arg(""), MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)) < 0) return error;
    if ((error = raw(SYS_fchdir, root)) < 0) return error;
    if ((error = raw(SYS_pivot_root, arg("."), arg("."))) < 0) return error;
    if ((error = raw(SYS_umount2, arg("."), MNT_DETACH)) < 0) return error;
    return root;
}

// proc belongs to the PID namespace of who mounts it, so a process of the new one does it and is gone: what stays
// shows no process at all.
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

long build(int run_directory) {
    if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) < 0) return -errno;
    long error = raw(SYS_mount, arg("none"), arg("/"), 0, MS_REC | MS_PRIVATE, 0);
    if (error < 0) return error;
    long root = make_root(run_directory);
    if (root < 0) return root;
    if ((error = mount_dead_proc(static_cast<int>(root))) < 0) return error;
    if ((error = mount_at("sysfs", static_cast<int>(root), "s")) < 0) return error;
    return kernel::raw_set_attr(root, MOUNT_ATTR_RDONLY, 0, 0, -1, false);
}

// The builder waits after its report until we have opened its namespace.
Result<Fd> build_in_child(int run_directory) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return os_error(errno, "making a socket pair");
    Fd ours(pair[0]), theirs(pair[1]);
    pid_t pid = fork();
    if (pid < 0) return os_error(errno, "making a process for the stage");
    if (pid == 0) {
        long error = build(run_directory);
        int code = static_cast<int>(error < 0 ? -error : 0);
        char byte;
        if (write(theirs.get(), &code, sizeof code) == sizeof code && read(theirs.get(), &byte, 1) < 0) _exit(1);
        _exit(0);
    }
    theirs.reset();
    int code = EIO;
    ssize_t n = read(ours.get(), &code, sizeof code);
    Result<Fd> fd = open_at(AT_FDCWD, cat("/proc/", pid, "/ns/mnt").c_str(), O_RDONLY);
    ours.reset();
    waitpid(pid, nullptr, 0);
    if (n != sizeof code || code) return os_error(n == sizeof code ? code : EIO, "making the stage's mount namespace");
    return fd;
}

bool is_pinned(int fd) {
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

Result<Fd> open_pinned(int run_directory) {
    Fd fd = TRY(open_at(run_directory, "stage", O_RDONLY | O_NOFOLLOW));
    if (!is_pinned(fd.get())) return error(Errc::not_found, "the stage is not pinned");
    return fd;
}

Result<> pin(int run_directory, int ns) {
    Fd file = TRY(open_at(run_directory, "stage", O_RDONLY | O_CREAT | O_NOFOLLOW, 0600));
    std::string source = cat("/proc/self/fd/", ns), target = cat("/proc/self/fd/", file.get());
    if (mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) < 0) return os_error(errno, "pinning the stage");
    return {};
}

}  // namespace

namespace {

// The pinned one; a new one, which is pinned if that is possible.
Result<Fd> stage_namespace(int run_directory) {
    if (run_directory < 0) return build_in_child(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY)->get());
    if (Result<Fd> fd = open_pinned(run_directory)) return fd;
    // Two first starts at once: one builds, the other finds it pinned.
    Fd lock = TRY(open_at(run_directory, "stage.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    while (flock(lock.get(), LOCK_EX) < 0 && errno == EINTR) {
    }
    if (Result<Fd> fd = open_pinned(run_directory)) return fd;
    Fd ns = TRY(build_in_child(run_directory));
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
    : namespace_(std::move(other.namespace_)), root_(std::move(other.root_)), directory_(std::move(other.directory_)), umask_(other.umask_),
      inside_(std::exchange(other.inside_, false)) {}

Result<Stage> Stage::enter(int run_directory) {
    Fd stage = TRY(stage_namespace(run_directory));
    Stage scope;
    scope.namespace_ = TRY(open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY));
    scope.root_ = TRY(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
    scope.directory_ = TRY(open_at(AT_FDCWD, ".", O_PATH | O_DIRECTORY));
    if (setns(stage.get(), CLONE_NEWNS) < 0) return os_error(errno, "entering the stage's mount namespace");
    scope.umask_ = umask(0022);
    scope.inside_ = true;
    if (unshare(CLONE_NEWNS) < 0) return os_error(errno, "making a mount namespace");
    return scope;
}

void Stage::leave() {
    if (!std::exchange(inside_, false)) return;
    umask(umask_);
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
    Result<Fd> fd = open_pinned(run_directory);
    if (!fd) return {};
    std::string path = cat("/proc/self/fd/", run_directory, "/stage");
    if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) < 0) return os_error(errno, "unpinning the stage");
    if (unlinkat(run_directory, "stage", 0) < 0 && errno != ENOENT) return os_error(errno, "removing the stage's pin");
    return {};
}

}  // namespace croft::run
