#include "run/joined_mounts.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "base/text.h"
#include "kernel/raw.h"

namespace croft::run {

namespace {

Result<Fd> copy_of(int mount, bool recursive) {
    long fd = kernel::raw_open_tree(mount, "", true, recursive);
    if (fd < 0) return os_error(static_cast<int>(-fd), "copying the machine's mounts");
    return Fd(static_cast<int>(fd));
}

}  // namespace

Result<> JoinedMounts::enter(Fd name_space, int stage_root, const std::string& place) {
    if (place.empty())
        return error(Errc::invalid, "joining a mount namespace: nobody says where the machine's root is");
    Fd here = TRY(open_at(AT_FDCWD, ".", O_PATH | O_DIRECTORY));
    Fd stage = TRY(copy_of(stage_root, false)), root = TRY(copy_of(here.get(), true));
    if (setns(name_space.get(), CLONE_NEWNS) < 0) return os_error(errno, "joining the mount namespace");
    Fd target = TRY(open_at(AT_FDCWD, place.c_str(), O_PATH | O_DIRECTORY)
                        .within("in the mount namespace that is joined"));
    long error = kernel::raw_attach(stage.get(), target.get());
    if (error >= 0) {
        namespace_ = std::move(name_space);
        mounted_ = Fd(dup(stage.get()));
        error = kernel::raw_set_attr(stage.get(), 0, 0, MS_PRIVATE, -1, false);
    }
    if (error >= 0) error = kernel::raw_attach(root.get(), stage.get());
    if (error < 0)
        return os_error(static_cast<int>(-error),
                        cat("mounting on ", quoted(place), " in the mount namespace that is joined"));
    if (fchdir(root.get()) < 0 || chroot(".") < 0 || fchdir(stage.get()) < 0)
        return os_error(errno, "entering the tree");
    return {};
}

// By a process that need not come back.
JoinedMounts::~JoinedMounts() {
    if (kept_ || !mounted_) return;
    const pid_t child = fork();
    if (child == 0) {
        bool gone = setns(namespace_.get(), CLONE_NEWNS) == 0 && fchdir(mounted_.get()) == 0;
        // The machine's root is on top, if it came so far.
        umount2(".", MNT_DETACH);
        umount2(".", MNT_DETACH);
        _exit(gone ? 0 : 1);
    }
    int status = 1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status) warn("the mounts of the machine are left in the mount namespace that was joined");
}

}  // namespace croft::run
