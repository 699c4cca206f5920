#include "manager/bind.h"

#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/text.h"
#include "manager/guest_ids.h"
#include "manager/leader.h"
#include "manager/states.h"

namespace croft::manager {
namespace {

int open_tree(int dir, const char* path, unsigned flags) {
    return static_cast<int>(syscall(SYS_open_tree, dir, path, flags | OPEN_TREE_CLOEXEC));
}

int set_attr(int fd, uint64_t set, int userns, unsigned flags = 0) {
    mount_attr attr = {};
    attr.attr_set = set;
    if (userns >= 0) attr.attr_set |= MOUNT_ATTR_IDMAP, attr.userns_fd = static_cast<uint64_t>(userns);
    return static_cast<int>(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | flags, &attr, sizeof attr));
}

int attach(int tree, int target) {
    return static_cast<int>(
        syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

// Runs `work` in a child and waits; its errno. The child may join namespaces, which cannot be undone.
template <class Work>
int in_child(Work work) {
    pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) _exit(work());
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int join_namespace(int pidfd, int kind) {
    return setns(pidfd, kind) < 0 ? errno : 0;
}

// Makes the attributes of a mount unchangeable for a guest with a user namespace. The kernel locks them when
// a mount is copied into a mount namespace of another user namespace (mount_namespaces(7)), and a clone of a
// locked mount is locked too: so the mount is attached in a namespace of our own, a child is cloned into new
// user and mount namespaces, and clones it there. Descriptors are shared, so the clone lands in our table.
// Called in a child of ours.
int lock_attributes(int tree, bool directory) {
    // Any place that is always there will do; a file can only be mounted on a file.
    const char* place_path = directory ? "/proc" : "/proc/version";
    if (unshare(CLONE_NEWNS) < 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
        return -errno;
    int place = open(place_path, O_PATH | O_CLOEXEC);
    if (place < 0 || attach(tree, place) < 0) return -errno;
    int answer[2];
    if (pipe2(answer, O_CLOEXEC) < 0) return -errno;
    long child = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        int result = open_tree(AT_FDCWD, place_path, OPEN_TREE_CLONE | AT_RECURSIVE);
        if (result < 0) result = -errno;
        (void)!write(answer[1], &result, sizeof result);
        _exit(0);
    }
    int result = -EIO;
    if (child < 0 || read(answer[0], &result, sizeof result) != sizeof result)
        return child < 0 ? -errno : -EIO;
    waitpid(static_cast<pid_t>(child), nullptr, 0);
    return result;
}

Result<Fd> open_target(int root, const BindOptions& options, bool directory) {
    auto target = open_in_root(root, options.target.c_str(), O_PATH);
    if (target || !options.make_target || target.error().code != Errc::not_found) return target;
    if (directory) {
        size_t slash = options.target.rfind('/');
        std::string parent = slash == 0 ? "/" : options.target.substr(0, slash);
        Fd dir = TRY(open_in_root(root, parent.c_str(), O_PATH | O_DIRECTORY));
        if (mkdirat(dir.get(), options.target.c_str() + slash + 1, 0755) < 0 && errno != EEXIST)
            return os_error(errno, cat("making ", quoted(options.target), " inside"));
    } else {
        TRY(open_in_root(root, options.target.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW, 0644));
    }
    return open_in_root(root, options.target.c_str(), O_PATH);
}

bool in_other_user_namespace(int pid) {
    struct stat a = {}, b = {};
    return stat(cat("/proc/", pid, "/ns/user").c_str(), &a) == 0 && stat("/proc/self/ns/user", &b) == 0 &&
           a.st_ino != b.st_ino;
}

Result<Fd> clone_source(const BindOptions& options, int pid, bool has_userns) {
    Fd tree(open_tree(AT_FDCWD, options.source.c_str(), OPEN_TREE_CLONE | AT_RECURSIVE));
    if (!tree && errno == ENOENT)
        return error(Errc::not_found, cat("there is no ", quoted(options.source), " on this host to bind"));
    if (!tree) return os_error(errno, cat("cloning the mount of ", quoted(options.source)));
    Fd userns;
    if (has_userns && options.idmap)
        userns = TRY(open_at(AT_FDCWD, cat("/proc/", pid, "/ns/user").c_str(), O_RDONLY));
    if (userns && set_attr(tree.get(), 0, userns.get(), AT_RECURSIVE) < 0)
        return error(Errc::unsupported, cat("the file system of ", quoted(options.source),
                                            " cannot map ids (", errno_text(errno),
                                            "): its files would belong to nobody inside; use "
                                            "--no-idmap if that is meant"));
    if (options.read_only && set_attr(tree.get(), MOUNT_ATTR_RDONLY, -1, AT_RECURSIVE) < 0)
        return os_error(errno, cat("making ", quoted(options.source), " read-only"));
    return tree;
}

}  // namespace

Result<> bind(const Paths& paths, std::string_view name, const BindOptions& options) {
    Machine machine = TRY(find_for(paths, name, "bind"));
    if (!paths.system)
        return error(Errc::unsupported,
                     "a user's machine cannot be given another mount while it runs; name it with "
                     "--bind when it is started");
    for (const std::string* path : {&options.source, &options.target})
        if (!path->starts_with('/')) return error(Errc::invalid, cat(quoted(*path), " is no absolute path"));
    const ProcessId& leader = machine.record.leader;
    Fd pidfd = TRY(open_process(leader));
    Fd root = TRY(open_root(leader));
    bool has_userns = in_other_user_namespace(leader.pid);
    struct stat st = {};
    if (stat(options.source.c_str(), &st) < 0)
        return error(Errc::not_found, cat("there is no ", quoted(options.source), " on this host to bind"));
    Fd tree = TRY(clone_source(options, leader.pid, has_userns));
    // What is missing is made with the ids of root inside: an idmapped tree takes no others.
    GuestIds ids = TRY(read_guest_ids(leader.pid));
    Fd target;
    {
        ActAs inside_root(ids);
        target =
            TRY(open_target(root.get(), options, S_ISDIR(st.st_mode)).within(cat("inside ", quoted(name))));
    }
    int failed = in_child([&] {
        int fd = tree.get();
        if (has_userns && options.read_only && (fd = lock_attributes(tree.get(), S_ISDIR(st.st_mode))) < 0)
            return -fd;
        if (int e = join_namespace(pidfd.get(), CLONE_NEWNS)) return e;
        return attach(fd, target.get()) < 0 ? errno : 0;
    });
    if (failed)
        return os_error(failed, cat("binding ", quoted(options.source), " to ", quoted(options.target),
                                    " inside ", quoted(name)));
    return {};
}

Result<> unbind(const Paths& paths, std::string_view name, const std::string& target_path) {
    Machine machine = TRY(find_for(paths, name, "unbind"));
    if (!target_path.starts_with('/') || target_path == "/")
        return error(Errc::invalid, cat(quoted(target_path), " is no path of a mount inside a machine"));
    Fd pidfd = TRY(open_process(machine.record.leader));
    Fd root = TRY(open_root(machine.record.leader));
    Fd target =
        TRY(open_in_root(root.get(), target_path.c_str(), O_PATH).within(cat("inside ", quoted(name))));
    int failed = in_child([&] {
        Fd own_fds(open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (int e = join_namespace(pidfd.get(), CLONE_NEWNS)) return e;
        // umount2 takes a path only, and the guest's /proc does not know us: so the host's, as working
        // directory.
        if (fchdir(own_fds.get()) < 0) return errno;
        return umount2(cat(target.get()).c_str(), MNT_DETACH) < 0 ? errno : 0;
    });
    if (failed == EINVAL)
        return error(Errc::invalid, cat(quoted(target_path), " inside ", quoted(name),
                                        " is no mount that was bound while it runs"));
    if (failed) return os_error(failed, cat("unmounting ", quoted(target_path), " inside ", quoted(name)));
    return {};
}

}  // namespace croft::manager
