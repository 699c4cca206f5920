#include "run/launch.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "kernel/cgroup.h"
#include "kernel/raw.h"
#include "run/attributes.h"
#include "run/child.h"
#include "run/device_program.h"
#include "run/messages.h"
#include "run/scope_ns.h"
#include "run/stage.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;
using launch::LaunchPlan;
using launch::Phase;
using launch::StepFailure;

namespace {

Error step_error(const LaunchPlan& plan, Phase phase, size_t index, long error) {
    return launch::explain(plan, {.phase = phase, .index = static_cast<uint16_t>(index), .error = static_cast<int32_t>(-error)});
}

// One launch: what is open while it happens. Whatever is not handed over closes at the end.
class Launch {
  public:
    Launch(const LaunchPlan& plan, const LaunchEnvironment& environment) : plan_(plan), env_(environment) { context_.plan = &plan; }
    ~Launch() {
        for (int fd : context_.slots) kernel::raw_close(fd);
    }
    Result<Launched> run();

  private:
    Result<> prepare();
    Result<> perform_steps(Phase phase, Place place, const std::vector<launch::Step>& steps);
    Result<> make_cgroup();
    Result<> clone_from_stage(Prepared& prepared);
    Result<> clone_payload(Prepared& prepared);
    Result<> help_payload();
    Result<> finish();
    bool needs_go() const;

    const LaunchPlan& plan_;
    const LaunchEnvironment& env_;
    const Faults faults_{env_.fail_at, env_.kill_at, env_.fail_error};
    Context context_;
    Launched out_;
    SyncSocket sync_;
    Fd payload_group_, init_, host_root_;
    uint32_t next_point_ = 0;
};

// What needs the host: files of ours, the filter, the tree's sources.
Result<> Launch::prepare() {
    if (plan_.slots > max_slots) return error(Errc::no_space, cat("the plan needs ", plan_.slots, " descriptors; the most is ", max_slots, ": use fewer binds and overlays"));
    if (plan_.process.init) {
        // Executed from a read-only mount of its own: /proc/1/exe is no way to write to the host's file (CVE-2019-5736).
        std::string path = cat(env_.helper_directory, "/croft-init");
        long fd = kernel::raw_open_tree(AT_FDCWD, path.c_str(), true, false);
        if (fd < 0) return os_error(static_cast<int>(-fd), cat("opening '", path, "'"));
        init_ = Fd(static_cast<int>(fd));
        if (long e = kernel::raw_set_attr(fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, 0, -1, false); e < 0)
            return os_error(static_cast<int>(-e), "making croft-init read-only");
    }
    host_root_ = TRY(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
    context_.host_root = host_root_.get();
    return {};
}

Result<> Launch::perform_steps(Phase phase, Place place, const std::vector<launch::Step>& steps) {
    context_.place = place;
    for (size_t i = 0; i < steps.size(); ++i) {
        long error = faults_.before(next_point_);
        if (error >= 0) error = perform(steps[i], context_);
        if (error < 0) return step_error(plan_, phase, i, error);
        faults_.after(next_point_++);
    }
    return {};
}

Result<> Launch::make_cgroup() {
    const launch::Cgroup& wanted = plan_.cgroup;
    if (wanted.path.empty() || env_.cgroup_root.empty()) return {};
    size_t slash = wanted.path.rfind('/');
    out_.cgroup = TRY(kernel::make_cgroup(env_.cgroup_root, wanted.path, wanted.controllers));
    out_.cgroup_name = wanted.path.substr(slash == wanted.path.npos ? 0 : slash + 1);
    std::string parent = slash == wanted.path.npos ? env_.cgroup_root : cat(env_.cgroup_root, "/", wanted.path.substr(0, slash));
    out_.cgroup_parent = TRY(open_at(AT_FDCWD, parent.c_str(), O_RDONLY | O_DIRECTORY));
    for (const launch::CgroupSetting& setting : wanted.settings)
        TRY(write_file_at(out_.cgroup.get(), setting.file.c_str(), setting.value).within(cat("limiting the machine's cgroup")));
    if (wanted.device_policy) TRY(attach_device_policy(out_.cgroup.get(), wanted.devices));
    if (!wanted.payload.empty()) {
        TRY(kernel::enable_controllers(out_.cgroup.get(), wanted.controllers));
        if (mkdirat(out_.cgroup.get(), wanted.payload.c_str(), 0755) < 0) return os_error(errno, "making the payload's cgroup");
        payload_group_ = TRY(open_at(out_.cgroup.get(), wanted.payload.c_str(), O_RDONLY | O_DIRECTORY));
        if (wanted.delegate) TRY(kernel::delegate_cgroup(payload_group_.get(), wanted.owner_uid, wanted.owner_gid));
    }
    return {};
}

bool Launch::needs_go() const { return !plan_.uid_maps.empty() || has_attributes(plan_.process); }

Result<> Launch::clone_payload(Prepared& prepared) {
    sync_ = TRY(make_sync_socket());
    context_.sync = sync_.theirs.get();
    int pidfd = -1;
    clone_args args = {};
    args.flags = (plan_.new_namespaces & ~static_cast<uint64_t>(CLONE_NEWCGROUP | CLONE_NEWTIME | CLONE_NEWNS)) | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    // Without a user namespace the payload takes over the launcher's copy of the stage, which the launcher leaves.
    if (!plan_.uid_maps.empty()) args.flags |= CLONE_NEWUSER | CLONE_NEWNS;
    args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
    args.exit_signal = SIGCHLD;
    int group = payload_group_ ? payload_group_.get() : out_.cgroup.get();
    if (group >= 0) {
        // Straight into its group: a move by cgroup.procs waits for an RCU grace period, milliseconds.
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<uint64_t>(group);
    }
    long pid = raw(SYS_clone3, arg(&args), sizeof args);
    if (pid == 0) {
        kernel::raw_close(sync_.ours.get());
        become_payload(prepared, context_);
    }
    if (pid < 0) return step_error(plan_, Phase::clone, 0, pid);
    out_.pid = static_cast<pid_t>(pid);
    out_.pidfd = Fd(pidfd);
    sync_.theirs.reset();
    return {};
}

// Everything in the launcher's copy of the stage; on every way out the launcher is back among the host's mounts.
Result<> Launch::clone_from_stage(Prepared& prepared) {
    JoinScope others;
    TRY(others.open(plan_));
    Stage stage = TRY(Stage::enter(env_.run_directory));
    Fd root = TRY(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
    context_.stage = root.get();
    TRY(perform_steps(Phase::stage, Place::stage, plan_.stage));
    TRY(others.enter());
    if (long error = faults_.before(next_point_); error < 0) return step_error(plan_, Phase::clone, 0, error);
    faults_.after(next_point_++);
    prepared.first_point = next_point_;
    return clone_payload(prepared);
}

// What only the host's privileges can do for the payload, while it waits: its maps first.
Result<> Launch::help_payload() {
    if (!needs_go()) return {};
    if (!plan_.uid_maps.empty())
        if (long e = write_maps(out_.pid, plan_.uid_maps, plan_.gid_maps); e < 0)
            return os_error(static_cast<int>(-e), "writing the id maps of the user namespace");
    TRY(set_attributes(out_.pid, plan_.process));
    if (send(sync_.ours.get(), &go_byte, 1, MSG_NOSIGNAL) != 1) return os_error(errno, "telling the payload to go on");
    return {};
}

Result<> Launch::finish() {
    TRY(help_payload());
    if (auto failure = wait_for_exec(sync_.ours.get(), out_.console)) return launch::explain(plan_, *failure);
    if (plan_.notify != launch::no_slot) out_.notify = Fd(std::exchange(context_.slots[plan_.notify], -1));
    return {};
}

Result<Launched> Launch::run() {
    TRY(prepare());
    Result<> done = perform_steps(Phase::host, Place::host, plan_.host);
    if (done) done = make_cgroup();
    if (done) {
        Prepared prepared(plan_.process, plan_.process.init);
        prepared.init = init_.get();
        std::copy(env_.stdio, env_.stdio + 3, prepared.streams);
        prepared.filter = {static_cast<unsigned short>(env_.seccomp.size() / sizeof(sock_filter)),
                           reinterpret_cast<sock_filter*>(const_cast<char*>(env_.seccomp.data()))};
        prepared.filter_flags = env_.seccomp_flags;
        prepared.wait_for_go = needs_go();
        prepared.user_namespace = !plan_.uid_maps.empty();
        prepared.unshare = plan_.new_namespaces & CLONE_NEWCGROUP;
        prepared.faults = faults_;
        prepared.launcher = raw(SYS_getpid);
        done = clone_from_stage(prepared);
    }
    if (done) done = finish();
    if (done) return std::move(out_);
    undo(out_);
    return std::move(done).error();
}

}  // namespace

void undo(Launched& launched) {
    if (launched.cgroup)
        if (Result<> killed = kernel::kill_cgroup(launched.cgroup.get()); !killed) debug(killed.error().text);
    if (launched.pidfd) {
        raw(SYS_pidfd_send_signal, launched.pidfd.get(), SIGKILL, 0, 0);
        siginfo_t info;
        while (waitid(P_PIDFD, static_cast<id_t>(launched.pidfd.get()), &info, WEXITED) < 0 && errno == EINTR) {
        }
    }
    if (launched.cgroup_parent) {
        if (Result<> removed = kernel::remove_cgroup(launched.cgroup_parent.get(), launched.cgroup_name); !removed) warn(removed.error().text);
    }
    launched = {};
}

uint32_t fault_points(const LaunchPlan& plan) {
    return static_cast<uint32_t>(plan.host.size() + plan.stage.size() + 1 + plan.inside.size()) + process_points;
}

Result<Launched> launch(const LaunchPlan& plan, const LaunchEnvironment& environment) { return Launch(plan, environment).run(); }

}  // namespace croft::run
