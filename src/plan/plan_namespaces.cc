// Namespaces: which are the machine's own, which are joined, which are the host's.
#include <sched.h>

#include "plan/draft.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace croft::plan {

namespace {

enum class Whose { own, host, joined };

// "" or "private" is a new one, "host" the host's, a path that one.
Whose take(Draft& d, const std::string& choice, uint64_t type) {
    if (choice == "host") return Whose::host;
    if (choice.empty() || choice == "private") {
        d.launch.new_namespaces |= type;
        return Whose::own;
    }
    d.launch.join.push_back({choice, type});
    return Whose::joined;
}

void take_network(Draft& d) {
    using Mode = spec::Network::Mode;
    switch (d.spec.network.mode) {
        case Mode::host:
            d.private_network = false;
            return;
        case Mode::path:
            d.private_network = take(d, d.spec.network.path, CLONE_NEWNET) == Whose::own;
            return;
        case Mode::automatic:
        case Mode::none:
            d.launch.new_namespaces |= CLONE_NEWNET;
            return;
    }
}

Result<> take_time(Draft& d) {
    const spec::Namespaces& ns = d.spec.namespaces;
    if (!ns.time) return {};
    if (!d.facts.has_time_ns)
        return error(Errc::unsupported, "this kernel has no time namespaces (Linux 5.6, CONFIG_TIME_NS)");
    if (!ns.time_path.empty()) {
        if (ns.monotonic_offset || ns.boottime_offset)
            return error(Errc::invalid,
                         cat("timeOffsets: the clocks of the time namespace ", quoted(ns.time_path),
                             " are set already, only those of a new one can be"));
        d.launch.join.push_back({ns.time_path, CLONE_NEWTIME});
        return {};
    }
    d.launch.new_namespaces |= CLONE_NEWTIME;
    d.launch.monotonic_offset = ns.monotonic_offset;
    d.launch.boottime_offset = ns.boottime_offset;
    return {};
}

}  // namespace

Result<> plan_namespaces(Draft& d) {
    const spec::Namespaces& ns = d.spec.namespaces;
    // Without a user namespace the payload lives in the launcher's mount namespace, which is thrown away
    // otherwise.
    if (d.private_users && d.spec.users.path.empty()) d.launch.new_namespaces |= CLONE_NEWUSER;
    if (!d.spec.users.path.empty()) d.launch.join.push_back({d.spec.users.path, CLONE_NEWUSER});
    // A user namespace has no say among the host's mounts, so it always comes with a mount namespace.
    if (ns.mount == "host" && !d.private_users)
        d.launch.join.push_back({std::string(launch::host_mounts), CLONE_NEWNS});
    else if (!ns.mount.empty() && ns.mount != "private" && ns.mount != "host")
        d.launch.join.push_back({ns.mount, CLONE_NEWNS});
    else if (d.private_users)
        d.launch.new_namespaces |= CLONE_NEWNS;
    d.own_pid = take(d, ns.pid, CLONE_NEWPID) == Whose::own;
    d.own_ipc = take(d, ns.ipc, CLONE_NEWIPC) == Whose::own;
    d.own_cgroup = take(d, ns.cgroup, CLONE_NEWCGROUP) == Whose::own;
    take(d, ns.uts, CLONE_NEWUTS);
    take_network(d);
    TRY(take_time(d));
    if (d.boot && (!d.own_pid || !d.own_cgroup))
        return error(Errc::invalid, "a booted machine needs PID and cgroup namespaces of its own");
    return {};
}

}  // namespace croft::plan
