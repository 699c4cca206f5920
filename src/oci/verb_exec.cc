// exec: a further process in a container.
#include <sched.h>

#include <optional>

#include "base/text.h"
#include "manager/leader.h"
#include "manager/prepare.h"
#include "oci/container.h"
#include "oci/engine_files.h"
#include "oci/exec_process.h"
#include "oci/faults.h"
#include "oci/foreground.h"
#include "oci/state.h"
#include "run/join.h"

namespace croft::oci {

namespace {
Result<> check_status(const Container& c, bool ignore_paused) {
    if (!c.alive() || !c.record.init.pid)
        return error(Errc::wrong_state, cat("cannot exec in a stopped container: ", quoted(c.id), " (container not running)"));
    if (c.status() == Status::paused && !ignore_paused)
        return error(Errc::wrong_state, cat("cannot exec in a paused container: ", quoted(c.id),
                                            " (resume it, or use --ignore-paused)"));
    return {};
}

uint64_t namespaces_of(const launch::LaunchPlan& plan) {
    uint64_t out = plan.new_namespaces | CLONE_NEWNS;
    for (const launch::JoinNamespace& joined : plan.join) out |= joined.type;
    return out | (plan.uid_maps.empty() ? 0 : static_cast<uint64_t>(CLONE_NEWUSER));
}

// Where cgroup2 was when the container was made; empty when it has no group.
std::string cgroup_root_of(const Container& c, const launch::LaunchPlan& plan) {
    std::string below = cat("/", plan.cgroup.path);
    if (plan.cgroup.path.empty() || !c.record.cgroup.ends_with(below)) return "";
    return c.record.cgroup.substr(0, c.record.cgroup.size() - below.size());
}

// --cgroup: below the container's own group; runc's way to name a controller in front is of cgroup v1.
Result<std::string> wanted_group(const Call& call, const Container& c, const launch::LaunchPlan& kept) {
    std::string path = call.flags.text("--cgroup");
    if (path.empty()) return path;
    std::string out = kept.cgroup.path;
    if (out.empty() || c.record.cgroup.empty())
        return error(Errc::unsupported, cat("--cgroup: container ", quoted(c.id), " has no control group of its own"));
    if (path.find(':') != path.npos)
        return error(Errc::usage, "--cgroup: cgroup2 has one tree, so there is no CONTROLLER: to be named");
    for (const std::string& part : split(path, '/')) {
        if (part == "..") return error(Errc::usage, cat("--cgroup: ", quoted(path), " leaves the container's group"));
        if (!part.empty() && part != ".") out += cat("/", part);
    }
    return out;
}

Result<run::Launched> join(const Call& call, const Places& places, const Container& c, const launch::LaunchPlan& kept,
                           const launch::LaunchPlan& plan) {
    Fd pidfd = TRY(c.open_init());
    run::JoinRequest request = {.leader = c.record.init.pid, .leader_pidfd = pidfd.get(), .namespaces = namespaces_of(kept)};
    request.group = TRY(wanted_group(call, c, kept));
    run::LaunchEnvironment environment;
    environment.preserve_fds = TRY(preserved_descriptors(call.flags));
    environment.seccomp_state = [&](pid_t pid) {
        return listener_state(pid, plan.process.seccomp_metadata, hook_state(c.record, "running"));
    };
    environment.helper_directory = places.paths.helpers;
    TRY(set_faults(call.flags, environment));
    environment.cgroup_root = cgroup_root_of(c, kept);
    std::optional<run::SeccompProgram> filter;
    if (!plan.process.seccomp.empty()) {
        filter = TRY(manager::load_filter(places.paths, plan.process.seccomp));
        manager::set_filter(environment, *filter);
    }
    return run::join(request, plan, environment);
}
}  // namespace

Result<int> verb_exec(const Call& call) {
    Places places = TRY(find_places(call.global));
    Container c = TRY(open_container(places, call.operands[0], Lock::no));
    TRY(check_status(c, call.flags.has("--ignore-paused")));
    launch::LaunchPlan kept = TRY(c.plan());
    launch::LaunchPlan plan = TRY(exec_plan(call, c, std::move(kept.process)));
    const bool detached = call.flags.has("--detach");
    EngineFiles engine(call.flags);
    TRY(engine.check(plan.process.terminal, detached, call.flags.has("--process") ? "$.terminal" : "--tty"));
    TRY(engine.connect());
    std::optional<run::SignalTrap> signals;
    if (!detached) signals.emplace(TRY(run::SignalTrap::set()));
    run::Launched launched = TRY(join(call, places, c, kept, plan).within(cat("in container ", quoted(c.id))));
    if (Result<> told = engine.hand_over(launched); !told) {
        run::undo(launched);
        return std::move(told).error();
    }
    if (detached) return 0;
    return launch::exit_status(TRY(stay_with(launched, *signals)));
}

}  // namespace croft::oci
