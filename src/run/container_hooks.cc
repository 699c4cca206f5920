#include "run/container_hooks.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "base/text.h"
#include "kernel/raw.h"
#include "run/hooks.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;

namespace {

Result<> check(long result, std::string_view doing) {
    if (result < 0) return os_error(static_cast<int>(-result), doing);
    return {};
}

Result<Fd> opened(long fd, std::string_view doing) {
    TRY(check(fd, doing));
    return Fd(static_cast<int>(fd));
}

struct Propagation {
    bool shared = false, slave = false;
};

// Of the mount that `root` is of, from a mountinfo that was opened before.
Result<Propagation> propagation_of(int root, const std::string& mountinfo) {
    struct statx st = {};
    if (statx(root, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
        return os_error(errno, "asking for the mount of the machine's root");
    const std::string id = cat(st.stx_mnt_id, " ");
    for (const std::string& line : split(mountinfo, '\n')) {
        if (!line.starts_with(id)) continue;
        const std::string optional = line.substr(0, line.find(" - "));
        return Propagation{.shared = optional.find(" shared:") != optional.npos,
                           .slave = optional.find(" master:") != optional.npos};
    }
    return Propagation{};
}

class HookTree {
  public:
    // In the host's namespaces, then in the machine's mount namespace.
    Result<> open(const ContainerHooksPlace& place);
    Result<> build(const ContainerHooksPlace& place, const std::string& root_path);
    Result<> enter();
    Result<> take_away();

  private:
    Fd host_, root_, mountinfo_;
    Propagation before_;
};

Result<> HookTree::open(const ContainerHooksPlace& place) {
    // A new mount namespace lacks the files of other ones (pinned stages), with which no tree could be moved into one.
    if (unshare(CLONE_NEWNS) < 0) return os_error(errno, "copying the host's mounts");
    host_ = TRY(opened(kernel::raw_open_tree(AT_FDCWD, "/", true, true), "copying the host's mounts"));
    TRY(check(kernel::raw_set_attr(host_.get(), 0, 0, MS_PRIVATE, -1, true), "copying the host's mounts"));
    mountinfo_ = TRY(open_at(AT_FDCWD, cat("/proc/", place.pid, "/mountinfo").c_str(), O_RDONLY));
    root_ = TRY(open_at(AT_FDCWD, cat("/proc/", place.pid, "/root").c_str(), O_PATH | O_DIRECTORY));
    return {};
}

Result<> HookTree::build(const ContainerHooksPlace& place, const std::string& root_path) {
    std::string mountinfo = TRY(read_all(mountinfo_.get(), 16 << 20));
    before_ = TRY(propagation_of(root_.get(), mountinfo));
    TRY(check(raw(SYS_move_mount, host_.get(), arg(""), place.stage, arg("l/0"), MOVE_MOUNT_F_EMPTY_PATH),
              "showing the host's tree to the hooks"));
    // Peers, so that a mount on one is a mount on the other.
    if (!before_.shared)
        TRY(check(kernel::raw_set_attr(root_.get(), 0, 0, MS_SHARED, -1, false),
                  "sharing the machine's root with the hooks"));
    Fd copy = TRY(opened(kernel::raw_open_tree(root_.get(), "", true, true), "copying the machine's mounts"));
    Fd target = TRY(opened(kernel::raw_open_in_root(host_.get(), root_path.c_str(), O_PATH | O_DIRECTORY),
                           cat("opening ", quoted(root_path))));
    return check(kernel::raw_attach(copy.get(), target.get()),
                 cat("showing the machine's root at ", quoted(root_path)));
}

Result<> HookTree::enter() {
    if (fchdir(host_.get()) < 0 || chroot(".") < 0) return os_error(errno, "entering the host's tree");
    return {};
}

// Private first: peers would lose what is unmounted below the copy, too.
Result<> HookTree::take_away() {
    TRY(check(kernel::raw_set_attr(host_.get(), 0, 0, MS_PRIVATE, -1, true), "taking the host's tree away"));
    if (!before_.shared)
        TRY(check(kernel::raw_set_attr(root_.get(), 0, 0, before_.slave ? MS_SLAVE : MS_PRIVATE, -1, false),
                  "taking the host's tree away"));
    if (fchdir(host_.get()) < 0 || umount2(".", MNT_DETACH) < 0)
        return os_error(errno, "taking the host's tree away");
    return {};
}

Result<> enter_namespaces(const ContainerHooksPlace& place) {
    const auto rest = static_cast<int>(place.namespaces & ~static_cast<uint64_t>(CLONE_NEWNS));
    if (rest && setns(place.pidfd, rest) < 0)
        return os_error(errno, "entering the machine's namespaces for hooks");
    if (!(rest & CLONE_NEWUSER)) return {};
    setgroups(0, nullptr);  // refused where the machine's own root may not either
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return os_error(errno, "becoming the machine's root for hooks");
    return {};
}

// In a process of its own, which ends with the launcher.
Result<> run_all(const launch::LaunchPlan& plan, const ContainerHooksPlace& place,
                 const std::string& root_path, std::string_view state) {
    HookTree tree;
    TRY(tree.open(place));
    if (setns(place.pidfd, CLONE_NEWNS) < 0)
        return os_error(errno, "entering the machine's mount namespace for hooks");
    TRY(tree.build(place, root_path));
    TRY(enter_namespaces(place));
    TRY(tree.enter());
    Result<> ran = run_hooks("createContainer", plan.hooks.create_container, state);
    Result<> gone = tree.take_away();
    return ran ? std::move(gone) : std::move(ran);
}

}  // namespace

Result<pid_t> inner_pid(pid_t pid) {
    std::string status = TRY(read_file_at(AT_FDCWD, cat("/proc/", pid, "/status").c_str()));
    for (const std::string& line : split(status, '\n'))
        if (line.starts_with("NSpid:"))
            return static_cast<pid_t>(
                parse_int(std::string_view(line).substr(line.rfind('\t') + 1)).value_or(pid));
    return pid;
}

Result<> run_container_hooks(const launch::LaunchPlan& plan, const LaunchEnvironment& environment,
                             const ContainerHooksPlace& place) {
    if (plan.hooks.create_container.empty()) return {};
    const pid_t inner = TRY(inner_pid(place.pid));
    const std::string state = environment.state ? environment.state(inner, "creating") : "";
    Pipe told = TRY(make_pipe());
    const pid_t launcher = getpid(), child = fork();
    if (child < 0) return os_error(errno, "making a process for the createContainer hooks");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != launcher) _exit(1);
        Result<> done = run_all(plan, place, environment.root_path, state);
        if (!done && !write_all(told.write.get(), cat(done.error().err, " ", done.error().text))) _exit(1);
        _exit(done ? 0 : 1);
    }
    told.write.reset();
    Result<std::string> text = read_all(told.read.get());
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status == 0) return {};
    size_t space = text ? text->find(' ') : std::string::npos;
    if (space == std::string::npos)
        return error(Errc::failed, "the process that runs the createContainer hooks was killed");
    Error failed = error(Errc::failed, text->substr(space + 1));
    failed.err = static_cast<int>(parse_int(text->substr(0, space)).value_or(0));
    return failed;
}

}  // namespace croft::run
