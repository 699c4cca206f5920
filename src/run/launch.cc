#include "run/launch.h"

#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "kernel/cgroup.h"
#include "kernel/raw.h"
#include "run/attributes.h"
#include "run/container_hooks.h"
#include "run/hooks.h"
#include "run/joined_mounts.h"
#include "run/machine_cgroup.h"
#include "run/net_devices.h"
#include "run/payload.h"
#include "run/rdt.h"
#include "run/scope_ns.h"
#include "run/seccomp_listener.h"
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
        : plan_(plan),
          env_(environment),
          // Whom the payload's process shares a PID namespace with could look into it.
          undumpable_(!(plan.new_namespaces & CLONE_NEWPID)),
          prepared_(plan.process) {
        context_.plan = &plan;
    }
    ~Launch() {
        for (int fd : context_.slots) kernel::raw_close(fd);
    }
    Result<Launched> run();

  private:
    Result<> start();
    Error step_error(Phase phase, size_t index, long error) const;
    bool joins(uint64_t type) const {
        return std::ranges::any_of(plan_.join,
                                   [&](const launch::JoinNamespace& joined) { return joined.type == type; });
    }
    bool makes_users() const { return !plan_.uid_maps.empty() && !joins(CLONE_NEWUSER); }
    bool private_users() const { return makes_users() || joins(CLONE_NEWUSER); }
    Result<> perform_steps(Phase phase, Place place, const std::vector<launch::Step>& steps);
    Result<> make_cgroup();
    Result<> prepare_hooks();
    Result<> prepare_payload();
    Result<> clone_from_stage();
    Result<> clone_payload(const JoinScope& others);
    Result<> run_runtime_hooks();
    Result<> help_payload();
    Requests requests();
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
    const Undumpable undumpable_;
    OomScore oom_score_;
    Prepared prepared_;
    Context context_, payload_context_;  // ours, and the copy that the payload's process works on
    Launched out_;
    JoinedMounts joined_mounts_;
    SyncSocket sync_;
    Fd payload_group_, host_root_, hook_words_, hook_state_;
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

Result<> Launch::make_cgroup() {
    MachineCgroup made;
    Result<> done = make_machine_cgroup(plan_.cgroup, env_.cgroup_root, made);
    out_.cgroup = std::move(made.group), out_.cgroup_parent = std::move(made.parent);
    out_.cgroup_name = std::move(made.name);
    payload_group_ = std::move(made.payload);
    return done;
}

bool Launch::needs_go() const {
    const launch::Hooks& hooks = plan_.hooks;
    return makes_users() || has_attributes(plan_.process) || env_.cloned || !plan_.net_devices.empty() ||
           plan_.rdt != launch::Rdt{} || !hooks.prestart.empty() || !hooks.create_runtime.empty() ||
           !hooks.start_container.empty();
}

// startContainer hooks are run by croft-init, whose descriptors must be there before the clone.
Result<> Launch::prepare_hooks() {
    if (plan_.hooks.start_container.empty()) return {};
    hook_words_ = TRY(start_hook_words(plan_.hooks.start_container));
    hook_state_ = TRY(memory_file("state", ""));
    prepared_.handed.hooks = hook_words_.get(), prepared_.handed.state = hook_state_.get();
    return {};
}

Result<> Launch::prepare_payload() {
    sync_ = TRY(make_sync_socket());
    context_.sync = sync_.theirs.get();
    TRY(prepare_hooks());
    if (plan_.process.wait_start && env_.gate < 0)
        return error(Errc::invalid, "the plan waits at a gate, and there is none");
    // Under private users the tree's root has no right to write to the host's programs; without them, it
    // could be the very owner of this one.
    if (plan_.process.init || !private_users() || plan_.process.wait_start || hook_words_)
        prepared_.use_init(TRY(open_init(env_.helper_directory)), context_.sync);
    prepared_.wait_for_go = needs_go();
    prepared_.user_namespace = private_users();
    prepared_.unshare = plan_.new_namespaces & CLONE_NEWCGROUP;
    return {};
}

Result<> Launch::clone_payload(const JoinScope& others) {
    uint64_t flags = plan_.new_namespaces &
                     ~static_cast<uint64_t>(CLONE_NEWCGROUP | CLONE_NEWTIME | CLONE_NEWNS | CLONE_NEWUSER);
    // Without a user namespace the payload takes over the launcher's copy of the stage, which the launcher
    // leaves.
    if (private_users() && !joins(CLONE_NEWNS)) flags |= CLONE_NEWNS;
    if (makes_users()) flags |= CLONE_NEWUSER;
    // The kernel lets nobody who shares memory go back from a time namespace.
    const bool share = !(plan_.new_namespaces & CLONE_NEWTIME) && !joins(CLONE_NEWTIME);
    if (share) flags |= CLONE_VM;
    if (env_.sibling) flags |= CLONE_PARENT;
    payload_context_ = context_;
    int group = payload_group_ ? payload_group_.get() : out_.cgroup.get();
    Spawned spawned;
    if (!others.one_way()) {
        spawned = spawn(prepared_, payload_context_, flags, group, sync_.ours.get());
    } else {
        SpawnedInside made = TRY(spawn_inside(prepared_, payload_context_, flags, group, sync_.ours.get(),
                                              share, JoinScope::enter_one_way, &others));
        if (made.entered < 0) return os_error(static_cast<int>(-made.entered), "entering the namespaces");
        spawned = made.spawned;
    }
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
    if (Fd joined = others.take_mounts())
        TRY(joined_mounts_.enter(std::move(joined), root.get(), env_.root_path));
    else if (chroot(".") < 0 || fchdir(root.get()) < 0)
        return step_error(Phase::clone, 0, -errno);
    TRY(others.enter());
    if (long error = faults_.before(next_point_); error < 0) return step_error(Phase::clone, 0, error);
    prepared_.first_point = next_point_ + 1;
    TRY(clone_payload(others));
    passed(next_point_++);
    return {};
}

Result<> Launch::run_runtime_hooks() {
    const launch::Hooks& hooks = plan_.hooks;
    if (!hooks.prestart.empty() || !hooks.create_runtime.empty()) {
        // prestart hooks were once run when start was called, and are told what they were then.
        auto state = [&](const char* status) { return env_.state ? env_.state(out_.pid, status) : ""; };
        TRY(run_hooks("prestart", hooks.prestart, state("created")));
        TRY(run_hooks("createRuntime", hooks.create_runtime, state("creating")));
    }
    if (!hook_state_ || !env_.state) return {};
    return write_all(hook_state_.get(), env_.state(TRY(inner_pid(out_.pid)), "created"));
}

// What only the host's privileges can do for the payload, while it waits: its maps first.
Result<> Launch::help_payload() {
    if (!needs_go()) return {};
    if (makes_users())
        if (long e = write_maps(out_.pid, plan_.uid_maps, plan_.gid_maps); e < 0)
            return os_error(static_cast<int>(-e), "writing the id maps of the user namespace");
    TRY(set_attributes(out_.pid, plan_.process));
    if (env_.cloned) TRY(env_.cloned(out_.pid));
    out_.made_rdt = TRY(join_rdt(plan_, out_.pid));
    TRY(move_net_devices(plan_.net_devices, out_.pid));
    TRY(run_runtime_hooks());
    return say_go(sync_.ours.get());
}

Requests Launch::requests() {
    Requests out;
    out.container_hooks = [this](int stage) {
        uint64_t namespaces = plan_.new_namespaces | CLONE_NEWNS | (private_users() ? CLONE_NEWUSER : 0);
        for (const launch::JoinNamespace& joined : plan_.join) namespaces |= joined.type;
        return run_container_hooks(plan_, env_, {out_.pid, out_.pidfd.get(), stage, namespaces});
    };
    out.listener = [this](int descriptor) {
        return hand_on_listener(out_.pid, out_.pidfd.get(), descriptor, plan_, env_);
    };
    return out;
}

Result<> Launch::finish() {
    TRY(help_payload());
    Requests asked = requests();
    TRY(wait_for_exec(sync_.ours.get(), plan_, asked));
    out_.console = std::move(asked.console);
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
    if (done) joined_mounts_.keep();
    if (done) return std::move(out_);
    if (out_.pid > 0) remove_rdt(plan_, out_.made_rdt);
    if (env_.failed) env_.failed(done.error());
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
