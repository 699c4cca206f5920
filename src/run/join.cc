#include "run/join.h"

#include <sched.h>

#include <optional>

#include "base/text.h"
#include "kernel/raw.h"
#include "run/attributes.h"
#include "run/payload.h"
#include "run/seccomp_listener.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;

namespace {

// The group that the leader lives in right now: an init may have moved itself below the one it was started
// in.
Result<Fd> leader_cgroup(pid_t leader, const std::string& cgroup_root) {
    std::string text = TRY(read_file_at(AT_FDCWD, cat("/proc/", leader, "/cgroup").c_str()));
    for (const std::string& line : split(text, '\n'))
        if (line.starts_with("0::/"))
            return open_at(AT_FDCWD, cat(cgroup_root, line.substr(3)).c_str(),
                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    return error(Errc::unsupported, "the machine is in no cgroup2 group");
}

// Walked without links, and never above the root.
Result<Fd> named_cgroup(const std::string& group, const std::string& cgroup_root) {
    Fd root = TRY(open_at(AT_FDCWD, cgroup_root.c_str(), O_PATH | O_DIRECTORY));
    return open_in_root(root.get(), group.c_str(), O_RDONLY | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS)
        .within(cat("the control group ", quoted(group)));
}

// What is entered, by the process in between: setns(2) of a PID namespace counts for children only. The
// caller itself never leaves the host's namespaces.
struct Inside {
    const JoinRequest* machine;
    int root;
};

long enter(const void* argument) {
    auto* inside = static_cast<const Inside*>(argument);
    long error =
        raw(SYS_setns, inside->machine->leader_pidfd, static_cast<long>(inside->machine->namespaces));
    // The leader's root, not that of its mount namespace; and a working directory that is surely inside
    // (CVE-2024-21626).
    if (error >= 0) error = raw(SYS_fchdir, inside->root);
    return error < 0 ? error : raw(SYS_chroot, arg("."));
}

// Only what differs is a copy: a process's filter request alone is several KiB.
std::optional<launch::Process> changed_by_join(const launch::Process& process) {
    if (process.exec_affinity_final.empty()) return std::nullopt;
    launch::Process changed = process;
    changed.cpu_affinity = process.exec_affinity_final;
    return changed;
}

class Join {
  public:
    Join(const JoinRequest& machine, const launch::LaunchPlan& plan, const LaunchEnvironment& environment)
        : machine_(machine),
          plan_(plan),
          env_(environment),
          changed_(changed_by_join(plan.process)),
          process_(changed_ ? *changed_ : plan.process),
          prepared_(process_) {}
    Result<Launched> run();

  private:
    Result<> start();
    Result<> clone();
    Result<> finish();

    const JoinRequest& machine_;
    const launch::LaunchPlan& plan_;
    const LaunchEnvironment& env_;
    const std::optional<launch::Process> changed_;
    const launch::Process& process_;
    const SignalBlock signals_;
    const Undumpable undumpable_;
    OomScore oom_score_;
    Prepared prepared_;
    Context context_;
    SyncSocket sync_;
    Fd group_, root_;
    Launched out_;
};

Result<> Join::start() {
    const bool private_users = machine_.namespaces & CLONE_NEWUSER;
    TRY(prepare(prepared_, env_));
    sync_ = TRY(make_sync_socket());
    context_.plan = &plan_;
    context_.sync = sync_.theirs.get();
    if (plan_.process.init || !private_users)
        prepared_.use_init(TRY(open_init(env_.helper_directory)), context_.sync);
    prepared_.user_namespace = private_users;
    prepared_.wait_for_go = has_attributes(process_);
    if (plan_.process.oom_score_adjust) TRY(oom_score_.set(*plan_.process.oom_score_adjust));
    if (!env_.cgroup_root.empty())
        group_ = machine_.group.empty() ? TRY(leader_cgroup(machine_.leader, env_.cgroup_root))
                                        : TRY(named_cgroup(machine_.group, env_.cgroup_root));
    root_ = TRY(open_at(AT_FDCWD, cat("/proc/", machine_.leader, "/root").c_str(), O_PATH | O_DIRECTORY));
    return {};
}

Result<> Join::clone() {
    const Inside inside = {&machine_, root_.get()};
    const bool share = !(machine_.namespaces & CLONE_NEWTIME);
    CpuScope cpus;  // inherited by what is made
    TRY(cpus.set(process_.exec_affinity_initial));
    SpawnedInside made =
        TRY(spawn_inside(prepared_, context_, 0, group_.get(), sync_.ours.get(), share, enter, &inside));
    if (made.entered < 0)
        return os_error(static_cast<int>(-made.entered), "entering the machine's namespaces");
    // -1 is what it was before the other process was killed.
    if (made.spawned.pid < 0)
        return os_error(static_cast<int>(-made.spawned.pid), "making a process in the machine's namespaces");
    out_.pid = static_cast<pid_t>(made.spawned.pid);
    out_.pidfd = Fd(made.spawned.pidfd);
    sync_.theirs.reset();
    return {};
}

Result<> Join::finish() {
    if (prepared_.wait_for_go) {
        TRY(set_attributes(out_.pid, process_));
        TRY(say_go(sync_.ours.get()));
    }
    Requests requests;
    requests.listener = [&](int descriptor) {
        return hand_on_listener(out_.pid, out_.pidfd.get(), descriptor, plan_, env_);
    };
    TRY(wait_for_exec(sync_.ours.get(), plan_, requests));
    out_.console = std::move(requests.console);
    return {};
}

Result<Launched> Join::run() {
    TRY(start());
    Result<> done = clone();
    if (done) done = finish();
    if (done) return std::move(out_);
    if (out_.pidfd) kill_child(out_.pidfd.get());
    return std::move(done).error();
}

}  // namespace

Result<Launched> join(const JoinRequest& machine, const launch::LaunchPlan& plan,
                      const LaunchEnvironment& environment) {
    return Join(machine, plan, environment).run();
}

}  // namespace croft::run
