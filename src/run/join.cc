#include "run/join.h"

#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "kernel/raw.h"
#include "run/attributes.h"
#include "run/payload.h"

namespace croft::run {

namespace {

// The group that the leader lives in right now: an init may have moved itself below the one it was started in.
Result<Fd> leader_cgroup(pid_t leader, const std::string& cgroup_root) {
    std::string text = TRY(read_file_at(AT_FDCWD, cat("/proc/", leader, "/cgroup").c_str()));
    for (const std::string& line : split(text, '\n'))
        if (line.starts_with("0::/")) return open_at(AT_FDCWD, cat(cgroup_root, line.substr(3)).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    return error(Errc::unsupported, "the machine is in no cgroup2 group");
}

}  // namespace

Result<Launched> join(const JoinRequest& machine, const launch::LaunchPlan& plan, const LaunchEnvironment& environment) {
    const bool users = machine.namespaces & CLONE_NEWUSER;
    const SignalBlock signals;
    Prepared prepared(plan.process);
    TRY(prepare(prepared, environment));
    SyncSocket sync = TRY(make_sync_socket());
    Context context;
    context.plan = &plan;
    context.sync = sync.theirs.get();
    if (plan.process.init || !users) prepared.use_init(TRY(open_init(environment.helper_directory)), context.sync);
    prepared.user_namespace = users;
    prepared.wait_for_go = has_attributes(plan.process);
    Fd group;
    if (!environment.cgroup_root.empty()) group = TRY(leader_cgroup(machine.leader, environment.cgroup_root));
    OomScore oom_score;
    if (plan.process.oom_score_adjust) TRY(oom_score.set(*plan.process.oom_score_adjust));
    // The host's proc, to set what is to be set from outside when we are among the machine's mounts.
    if (setns(machine.leader_pidfd, static_cast<int>(machine.namespaces)) < 0)
        return os_error(errno, "entering the machine's namespaces");
    Spawned spawned = spawn(prepared, context, users ? 0 : 0, group.get(), sync.ours.get());
    if (spawned.pid < 0) return explain_failure(plan, {.phase = launch::Phase::clone, .error = static_cast<int32_t>(-spawned.pid)}, "");
    sync.theirs.reset();
    Launched out;
    out.pid = static_cast<pid_t>(spawned.pid);
    out.pidfd = Fd(spawned.pidfd);
    Result<> helped = has_attributes(plan.process) ? set_attributes(out.pid, plan.process) : Result<>();
    if (helped && prepared.wait_for_go && send(sync.ours.get(), &go_byte, 1, MSG_NOSIGNAL) != 1) helped = os_error(errno, "telling the process to go on");
    if (!helped) {
        undo(out);
        return std::move(helped).error();
    }
    if (auto told = wait_for_exec(sync.ours.get(), out.console)) {
        undo(out);
        return explain_failure(plan, told->failure, told->reason);
    }
    return out;
}

}  // namespace croft::run
