#include "run/launch.h"

#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "kernel/cgroup.h"
#include "kernel/raw.h"
#include "run/attributes.h"
#include "run/device_program.h"
#include "run/payload.h"
#include "run/scope_ns.h"
#include "run/stage.h"

namespace croft::run {

using launch::LaunchPlan;
using launch::Phase;
using launch::StepFailure;

namespace {

// One launch: what is open while it happens. Whatever is not handed over closes at the end.
class Launch {
  public:
    Launch(const LaunchPlan& plan, const LaunchEnvironment& environment)
        : plan_(plan), env_(environment), prepared_(plan.process) {
        context_.plan = &plan;
    }
    ~Launch() {
        for (int fd : context_.slots) kernel::raw_close(fd);
    }
    Result<Launched> run();

  private:
    Result<> start();
    Error step_error(Phase phase, size_t index, long error) const;
    bool private_users() const { return !plan_.uid_maps.empty(); }
    Result<> perform_steps(Phase phase, Place place, const std::vector<launch::Step>& steps);
    Result<> make_cgroup();
    Result<> make_payload_group(int parent, bool fresh);
    Result<> make_group_in_unit();
    Result<> prepare_payload();
    Result<> clone_from_stage();
    Result<> clone_payload();
    Result<> help_payload();
    Result<> finish();
    bool needs_go() const;
    void passed(uint32_t point) const {
        if (point == faults_.kill_at) kill(getpid(), SIGKILL);
    }

    const LaunchPlan& plan_;
    const LaunchEnvironment& env_;
    const Faults faults_{env_.fail_at, env_.kill_at, env_.fail_error};
    const SignalBlock signals_;
    const NoUmask umask_;
    OomScore oom_score_;
    Prepared prepared_;
    Context context_, payload_context_;  // ours, and the copy that the payload's process works on
    Launched out_;
    SyncSocket sync_;
    Fd payload_group_, host_root_;
    uint32_t next_point_ = 0;
};

Error Launch::step_error(Phase phase, size_t index, long error) const {
    return explain_failure(
        plan_, {.phase = phase, .index = static_cast<uint16_t>(index), .error = static_cast<int32_t>(-error)},
        context_.reason);
}

Result<> Launch::start() {
    if (plan_.slots > max_slots)
        return error(Errc::no_space, cat("the plan needs ", plan_.slots, " descriptors; the most is ",
                                         max_slots, ": use fewer binds and overlays"));
    TRY(prepare(prepared_, env_));
    if (plan_.process.oom_score_adjust) TRY(oom_score_.set(*plan_.process.oom_score_adjust));
    host_root_ = TRY(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
    context_.host_root = host_root_.get();
    return {};
}

Result<> Launch::perform_steps(Phase phase, Place place, const std::vector<launch::Step>& steps) {
    context_.place = place;
    for (size_t i = 0; i < steps.size(); ++i) {
        long error = faults_.before(next_point_);
        if (error >= 0) error = perform(steps[i], context_);
        if (error < 0) return step_error(phase, i, error);
        passed(next_point_++);
    }
    return {};
}

Result<> Launch::make_payload_group(int parent, bool fresh) {
    const launch::Cgroup& wanted = plan_.cgroup;
    if (mkdirat(parent, wanted.payload.c_str(), 0755) < 0 && (fresh || errno != EEXIST))
        return os_error(errno, "making the payload's cgroup");
    payload_group_ = TRY(open_at(parent, wanted.payload.c_str(), O_RDONLY | O_DIRECTORY));
    if (wanted.delegate)
        TRY(kernel::delegate_cgroup(payload_group_.get(), wanted.owner_uid, wanted.owner_gid));
    return {};
}

// The unit's group is there, with the launcher in it and with systemd's limits. Only a payload's own group below is
// made here; one of an earlier life of the unit serves again.
Result<> Launch::make_group_in_unit() {
    const launch::Cgroup& wanted = plan_.cgroup;
    out_.cgroup_parent =
        TRY(open_at(AT_FDCWD, cat(env_.cgroup_root, "/", wanted.path).c_str(), O_RDONLY | O_DIRECTORY)
                .within("opening the unit's cgroup"));
    int unit = out_.cgroup_parent.get();
    for (const launch::CgroupSetting& setting : wanted.settings)
        TRY(write_file_at(unit, setting.file.c_str(), setting.value).within("limiting the unit's cgroup"));
    if (wanted.payload.empty()) {
        // The payload is born into it as the launcher was; nothing is made that had to be undone.
        if (wanted.device_policy) TRY(attach_device_policy(unit, wanted.devices));
        out_.cgroup_parent.reset();
        return {};
    }
    TRY(kernel::step_aside(unit, "launch"));
    std::vector<std::string> offered = TRY(kernel::offered_controllers(unit, wanted.controllers));
    TRY(kernel::enable_controllers(unit, offered));
    TRY(make_payload_group(unit, false));
    if (wanted.device_policy) TRY(attach_device_policy(payload_group_.get(), wanted.devices));
    out_.cgroup = Fd(dup(payload_group_.get()));
    out_.cgroup_name = wanted.payload;
    return {};
}

Result<> Launch::make_cgroup() {
    const launch::Cgroup& wanted = plan_.cgroup;
    if (wanted.path.empty() || env_.cgroup_root.empty()) return {};
    if (wanted.of_unit) return make_group_in_unit();
    size_t slash = wanted.path.rfind('/');
    out_.cgroup = TRY(kernel::make_cgroup(env_.cgroup_root, wanted.path, wanted.controllers));
    out_.cgroup_name = wanted.path.substr(slash == wanted.path.npos ? 0 : slash + 1);
    std::string parent = slash == wanted.path.npos ? env_.cgroup_root
                                                   : cat(env_.cgroup_root, "/", wanted.path.substr(0, slash));
    out_.cgroup_parent = TRY(open_at(AT_FDCWD, parent.c_str(), O_RDONLY | O_DIRECTORY));
    for (const launch::CgroupSetting& setting : wanted.settings)
        TRY(write_file_at(out_.cgroup.get(), setting.file.c_str(), setting.value)
                .within(cat("limiting the machine's cgroup")));
    if (wanted.device_policy) TRY(attach_device_policy(out_.cgroup.get(), wanted.devices));
    if (!wanted.payload.empty()) {
        TRY(kernel::enable_controllers(out_.cgroup.get(), wanted.controllers));
        TRY(make_payload_group(out_.cgroup.get(), true));
    }
    return {};
}

bool Launch::needs_go() const {
    return private_users() || has_attributes(plan_.process) || env_.cloned;
}

Result<> Launch::prepare_payload() {
    sync_ = TRY(make_sync_socket());
    context_.sync = sync_.theirs.get();
    // Under private users the tree's root has no right to write to the host's programs; without them, it
    // could be the very owner of this one.
    if (plan_.process.init || !private_users())
        prepared_.use_init(TRY(open_init(env_.helper_directory)), context_.sync);
    prepared_.wait_for_go = needs_go();
    prepared_.user_namespace = private_users();
    prepared_.unshare = plan_.new_namespaces & CLONE_NEWCGROUP;
    return {};
}

Result<> Launch::clone_payload() {
    uint64_t flags =
        plan_.new_namespaces & ~static_cast<uint64_t>(CLONE_NEWCGROUP | CLONE_NEWTIME | CLONE_NEWNS);
    // Without a user namespace the payload takes over the launcher's copy of the stage, which the launcher
    // leaves.
    if (private_users()) flags |= CLONE_NEWUSER | CLONE_NEWNS;
    // The kernel lets nobody who shares memory go back from a time namespace.
    if (!(plan_.new_namespaces & CLONE_NEWTIME)) flags |= CLONE_VM;
    if (env_.sibling) flags |= CLONE_PARENT;
    payload_context_ = context_;
    int group = payload_group_ ? payload_group_.get() : out_.cgroup.get();
    Spawned spawned = spawn(prepared_, payload_context_, flags, group, sync_.ours.get());
    if (spawned.pid < 0) return step_error(Phase::clone, 0, spawned.pid);
    out_.pid = static_cast<pid_t>(spawned.pid);
    out_.pidfd = Fd(spawned.pidfd);
    sync_.theirs.reset();
    return {};
}

// Everything in the launcher's copy of the stage; on every way out the launcher is back among the host's
// mounts.
Result<> Launch::clone_from_stage() {
    JoinScope others;
    TRY(others.open(plan_));
    Stage stage = TRY(Stage::enter(env_.run_directory));
    Fd root = TRY(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
    context_.stage = root.get();
    TRY(perform_steps(Phase::stage, Place::stage, plan_.stage));
    detach_layers(context_);
    // From the working directory, which is the tree, to the root: the kernel makes no user namespace for who
    // is chrooted, and takes whoever is not in the topmost mount of "/" for that. The stage's own root,
    // below, becomes the working directory, because that is the other thing a new mount namespace finds again
    // for its first process.
    if (chroot(".") < 0 || fchdir(root.get()) < 0) return step_error(Phase::clone, 0, -errno);
    TRY(others.enter());
    if (long error = faults_.before(next_point_); error < 0) return step_error(Phase::clone, 0, error);
    prepared_.first_point = next_point_ + 1;
    TRY(clone_payload());
    passed(next_point_++);
    return {};
}

// What only the host's privileges can do for the payload, while it waits: its maps first.
Result<> Launch::help_payload() {
    if (!needs_go()) return {};
    if (!plan_.uid_maps.empty())
        if (long e = write_maps(out_.pid, plan_.uid_maps, plan_.gid_maps); e < 0)
            return os_error(static_cast<int>(-e), "writing the id maps of the user namespace");
    TRY(set_attributes(out_.pid, plan_.process));
    if (env_.cloned) TRY(env_.cloned(out_.pid));
    if (send(sync_.ours.get(), &go_byte, 1, MSG_NOSIGNAL) != 1)
        return os_error(errno, "telling the payload to go on");
    return {};
}

Result<> Launch::finish() {
    TRY(help_payload());
    if (auto told = wait_for_exec(sync_.ours.get(), out_.console))
        return explain_failure(plan_, told->failure, told->reason);
    if (plan_.notify != launch::no_slot) out_.notify = Fd(std::exchange(context_.slots[plan_.notify], -1));
    return {};
}

Result<Launched> Launch::run() {
    TRY(start());
    Result<> done = perform_steps(Phase::host, Place::host, plan_.host);
    if (done) done = make_cgroup();
    if (done) done = prepare_payload();
    if (done) done = clone_from_stage();
    if (done) done = finish();
    if (done) return std::move(out_);
    undo(out_);
    return std::move(done).error();
}

}  // namespace

void undo(Launched& launched) {
    if (launched.cgroup)
        if (Result<> killed = kernel::kill_cgroup(launched.cgroup.get()); !killed) debug(killed.error().text);
    if (launched.pidfd) kill_child(launched.pidfd.get());
    if (launched.cgroup_parent) {
        if (Result<> removed = kernel::remove_cgroup(launched.cgroup_parent.get(), launched.cgroup_name);
            !removed)
            warn(removed.error().text);
    }
    launched = {};
}

uint32_t fault_points(const LaunchPlan& plan) {
    return static_cast<uint32_t>(plan.host.size() + plan.stage.size() + 1 + plan.inside.size()) +
           process_points;
}

Result<Launched> launch(const LaunchPlan& plan, const LaunchEnvironment& environment) {
    return Launch(plan, environment).run();
}

}  // namespace croft::run
