#include "oci/destroy.h"

#include <unistd.h>

#include <csignal>

#include "base/log.h"
#include "base/text.h"
#include "host/facts.h"
#include "kernel/cgroup.h"
#include "manager/leader.h"
#include "oci/host_mounts.h"
#include "oci/state.h"
#include "run/hooks.h"
#include "run/rdt.h"

namespace croft::oci {

namespace {
constexpr uint64_t end_timeout = 10'000'000;  // µs that a killed process may take

// A container without a PID namespace may have left processes behind its first one.
Result<> remove_group(const std::string& path) {
    size_t slash = path.rfind('/');
    std::string parent_path = path.substr(0, slash), name = path.substr(slash + 1);
    auto parent = open_at(AT_FDCWD, parent_path.c_str(), O_RDONLY | O_DIRECTORY);
    if (!parent && parent.error().err == ENOENT) return {};
    if (!parent) return std::move(parent).error();
    auto group = open_at(parent->get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!group && group.error().err == ENOENT) return {};
    if (!group) return std::move(group).error();
    if (Result<> killed = kernel::kill_cgroup(group->get()); !killed) debug(killed.error().text);
    return kernel::remove_cgroup(parent->get(), name);
}

// A scope's group is systemd's, which removes it when the last process is gone, and ends the unit with it. One that is
// removed by somebody else would leave the unit behind.
Result<> leave_group_to_systemd(const std::string& path) {
    auto group = open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!group) return {};
    if (Result<> killed = kernel::kill_cgroup(group->get()); !killed) debug(killed.error().text);
    for (uint64_t until = manager::monotonic_now() + end_timeout; exists_at(AT_FDCWD, path.c_str());) {
        if (manager::monotonic_now() > until) return remove_group(path);
        usleep(2000);
    }
    return {};
}

Result<> end_init(const Container& c) {
    auto pidfd = manager::open_process(c.record.init);
    if (!pidfd) return {};
    if (Result<> sent = manager::send_signal(pidfd->get(), SIGKILL); !sent && sent.error().code != Errc::not_found)
        return sent;
    if (manager::wait_gone(pidfd->get(), end_timeout)) return {};
    return error(Errc::timeout, cat("container ", quoted(c.id), ": its process ", c.record.init.pid,
                                    " does not end, though it was killed: see /proc/", c.record.init.pid, "/stack"));
}

// Of a creation that was killed before it wrote its record, the plan tells.
std::string group_of(const Container& c) {
    if (c.record.init.pid) return c.record.cgroup;
    auto plan = c.plan();
    if (!plan || plan->cgroup.path.empty()) return "";
    spec::HostFacts facts;
    host::find_cgroup2(facts);
    return facts.cgroup_root.empty() ? "" : cat(facts.cgroup_root, "/", plan->cgroup.path);
}
}  // namespace

Result<> destroy(const Places& places, const Container& c) {
    if (c.alive()) TRY(end_init(c));
    std::string group = group_of(c);
    auto remove = c.record.unit.empty() ? remove_group : leave_group_to_systemd;
    if (!group.empty()) TRY(remove(group).within(cat("removing the control group of container ", quoted(c.id))));
    // Of a creation that was killed halfway nobody has said whether it has, and its hooks are not to be run.
    auto plan = c.record.has_end || !c.record.init.pid ? c.plan() : launch::LaunchPlan();
    if (plan)
        if (Result<> gone = remove_mounts(*plan); !gone) warn(gone.error().text);
    if (plan && !c.record.has_end) plan = launch::LaunchPlan();
    // A group that the configuration names stays for others.
    if (plan && !plan->rdt.group.empty()) run::remove_rdt(*plan, c.record.made_rdt && !plan->rdt.may_exist);
    remove_container_files(places, c);
    if (plan) run_poststop(c.record, *plan);
    return {};
}

void run_poststop(const manager::OciContainer& record, const launch::LaunchPlan& plan) {
    for (const launch::Hook& hook : plan.hooks.poststop)  // each gets its turn, whatever became of the others
        if (Result<> done = run::run_hooks("poststop", {hook}, hook_state(record, "stopped")); !done)
            warn(done.error().text);
}

Result<> run_poststart(const Places& places, const Container& c, const launch::LaunchPlan& plan) {
    if (plan.hooks.poststart.empty()) return {};
    Result<> done = run::run_hooks("poststart", plan.hooks.poststart, hook_state(c.record, "running"));
    if (done) return {};
    if (Result<> gone = destroy(places, c); !gone) warn(gone.error().text);
    return done;
}

}  // namespace croft::oci
