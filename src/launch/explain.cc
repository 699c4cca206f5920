// A failed launch in a sentence: which step, why the kernel said no, and what can be done about it. All that
// the payload's side could say is a StepFailure; the rest is in the plan.
#include <sched.h>

#include <cerrno>

#include "base/text.h"
#include "launch/explain_parts.h"

namespace croft::launch {

namespace {

// ---------------------------------------------------------------- steps

// What the mount in a slot is: the path it came from, or its file system; "" when nothing mountable is there.
std::string mount_in(const LaunchPlan& plan, Slot slot) {
    for (const auto* list : {&plan.host, &plan.stage, &plan.inside})
        for (const Step& step : *list) {
            if (auto* tree = std::get_if<OpenTree>(&step); tree && tree->slot == slot) return tree->path;
            if (auto* fs = std::get_if<MakeFs>(&step); fs && fs->slot == slot) return fs->type;
            if (auto* overlay = std::get_if<MakeOverlay>(&step); overlay && overlay->slot == slot)
                return "the overlay";
        }
    return "";
}

std::string step_phrase(const LaunchPlan& plan, const Step& step) {
    if (auto* attach = std::get_if<Attach>(&step)) {
        std::string what = mount_in(plan, attach->slot);
        if (!what.empty()) return cat("mounting ", what, " on ", attach->target);
    }
    return describe(step);
}

std::string hint(const LaunchPlan&, const OpenTree& s, int err) {
    if (s.idmap != no_slot && (err == EINVAL || err == EPERM || err == EOPNOTSUPP))
        return s.path.empty() || s.recursive == false ? "this file system cannot be mounted with mapped ids: "
                                                        "--private-users=no does without, for a bind "
                                                        "the option noidmap"
                                                      : "this file system, or one mounted below it, cannot "
                                                        "be mounted with mapped ids: use the options "
                                                        "norbind or noidmap of the bind";
    if (err == ENOENT) return s.base == no_slot ? "it is not there any more" : "the tree has no such path";
    if (err == ELOOP) return "a symlink on the way leads out";
    return "";
}
std::string hint(const LaunchPlan&, const OpenLoop&, int err) {
    if (err == ENOENT || err == ENXIO || err == ENODEV)
        return "the image is gone, or this host has no loop devices (modprobe loop; in a container they must be handed in)";
    if (err == EROFS) return "it lies on a file system that is mounted read-only: use --read-only or --ephemeral";
    if (err == ETXTBSY) return "it is in use as swap or as a program";
    return "";
}
std::string hint(const LaunchPlan&, const MakeFs& s, int err) {
    bool disk = s.device != no_slot || s.source.starts_with("/dev/");
    if (disk && s.idmap != no_slot && (err == EPERM || err == EOPNOTSUPP))
        return "this file system cannot be mounted with mapped ids: --private-users=no does without";
    if (disk && (err == EINVAL || err == EUCLEAN || err == EIO || err == EBADMSG || err == ESTALE))
        return "it is damaged, or made for a newer kernel: check it with fsck on a loop device (losetup -P)";
    if (disk && err == EBUSY) return "its device is in use by another mount";
    if (err == ENODEV)
        return cat("this kernel has no ", s.type, ", or its module is not loaded (modprobe ", s.type, ")");
    if (err == EPERM && (s.type == "proc" || s.type == "sysfs"))
        return cat("the kernel lets a user namespace mount ", s.type,
                   " only where an uncovered one is seen already; croft itself runs in a container that "
                   "covers parts of it");
    if (err == EINVAL) return "an option is unknown to this kernel, or its value is wrong";
    return "";
}
std::string hint(const LaunchPlan&, const MakeOverlay&, int err) {
    if (err == ENODEV) return "this kernel has no overlayfs (modprobe overlay)";
    if (err == EINVAL)
        return "the file system of the upper layer cannot hold one (overlay on overlay, NFS, FUSE), or a "
               "layer is inside another";
    if (err == EBUSY || err == ESTALE) return "a layer is in use by another overlay";
    return "";
}
std::string hint(const LaunchPlan&, const Attach& s, int err) {
    if (err == ENOENT || err == ENOTDIR)
        return "the tree has no such mount point, or one of the other type (file, directory)";
    if (err == EROFS) return "the tree is read-only and lacks this mount point: make it in the tree";
    if (err == ELOOP || err == EXDEV)
        return s.no_symlinks
                   ? "it is, or is below, a symlink in this tree, where only a real directory is safe"
                   : "a symlink on the way leads nowhere";
    if (err == EOVERFLOW) return "the tree's owners are not those that its id map expects";
    return "";
}
std::string hint(const LaunchPlan&, const MakeNode&, int err) {
    return err == EPERM ? "device nodes can be made only by root outside any user namespace, and where the "
                          "device policy lets it"
                        : "";
}
std::string hint(const LaunchPlan&, const Sysctl&, int err) {
    if (err == ENOENT) return "this kernel has no such parameter";
    if (err == EINVAL) return "the kernel does not take this value";
    if (err == EACCES || err == EPERM || err == EROFS)
        return "it does not belong to a namespace of the machine (with --network=host the net.* ones are the "
               "host's)";
    return "";
}
std::string hint(const LaunchPlan&, const OpenConsole&, int err) {
    return err == ENOSPC ? "all pseudo terminals are in use (kernel.pty.max)" : "";
}
std::string hint(const LaunchPlan&, const MakeUserns&, int err) {
    return err == ENOSPC ? "the limit on user namespaces is reached (sysctl user.max_user_namespaces)" : "";
}
std::string hint(const LaunchPlan&, const PivotRoot&, int err) {
    return err == ENOENT || err == ENOTDIR ? "both must be directories in the tree" : "";
}
template <class T>
std::string hint(const LaunchPlan&, const T& s, int err) {
    if constexpr (requires { s.path; }) {
        if (err == EROFS) return "the tree is read-only";
        if (err == EOVERFLOW) return "the tree's owners are not those that its id map expects";
    }
    return "";
}

Error step_error(const LaunchPlan& plan, const std::vector<Step>& steps, const StepFailure& failure) {
    if (failure.index >= steps.size())
        return os_error(failure.error,
                        cat("step ", failure.index, " of the launch, which its plan does not have"));
    const Step& step = steps[failure.index];
    Error e = os_error(failure.error, step_phrase(plan, step));
    std::string why = std::visit([&](const auto& s) { return hint(plan, s, failure.error); }, step);
    if (auto* tree = std::get_if<OpenTree>(&step);
        tree && tree->idmap != no_slot && (failure.error == EINVAL || failure.error == EPERM))
        e.code = Errc::unsupported;
    if (std::holds_alternative<MakeFs>(step) && failure.error == ENODEV) e.code = Errc::unsupported;
    return with_hint(std::move(e), why);
}

// ---------------------------------------------------------------- clone

Error clone_error(const LaunchPlan& plan, int err) {
    Error e = os_error(err, "making the machine's namespaces and first process");
    bool user = plan.new_namespaces & CLONE_NEWUSER;
    switch (err) {
        case EPERM:
            return with_hint(
                std::move(e),
                user ? "user namespaces are switched off here (sysctl kernel.unprivileged_userns_clone, "
                       "kernel.apparmor_restrict_unprivileged_userns), or croft runs in a chroot"
                     : "only root may, or who has a user namespace of its own");
        case ENOSPC:
        case EUSERS:
            e.code = Errc::no_space;
            return with_hint(std::move(e),
                             "a limit on namespaces or their nesting is reached (sysctl "
                             "user.max_*_namespaces, 32 levels)");
        case EAGAIN:
        case ENOMEM:
            e.code = Errc::no_space;
            return with_hint(
                std::move(e),
                "a limit on processes or memory is reached (ulimit -u, pids.max, kernel.pid_max)");
        case EINVAL:
            e.code = Errc::unsupported;
            return with_hint(std::move(e),
                             "this kernel lacks one of the namespace types (croft doctor tells which)");
        case EBUSY:
            return with_hint(std::move(e),
                             "the machine's cgroup has processes in a child, or a controller that forbids "
                             "processes in it");
        default:
            return e;
    }
}

}  // namespace

Error explain(const LaunchPlan& plan, const StepFailure& failure) {
    switch (failure.phase) {
        case Phase::host:
            return step_error(plan, plan.host, failure);
        case Phase::stage:
            return step_error(plan, plan.stage, failure);
        case Phase::inside:
            return step_error(plan, plan.inside, failure);
        case Phase::clone:
            return clone_error(plan, failure.error);
        case Phase::process:
            return process_error(plan, failure);
        case Phase::exec:
            return exec_error(plan, failure);
    }
    return os_error(failure.error, "launching the machine");
}

}  // namespace croft::launch
