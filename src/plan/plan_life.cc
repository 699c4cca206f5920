// What surrounds the payload's life: hooks, network devices that move in, groups of resctrl, NUMA memory.
#include <algorithm>

#include "plan/draft.h"

namespace croft::plan {

namespace {

Result<std::vector<launch::Hook>> hooks(const std::vector<spec::Hook>& list, std::string_view where) {
    std::vector<launch::Hook> out;
    for (const spec::Hook& hook : list) {
        if (!hook.path.starts_with('/'))
            return error(Errc::invalid, cat("hooks.", where, ": ", quoted(hook.path), " is no absolute path"));
        launch::Hook step{hook.path, hook.args, hook.env, 0};
        if (hook.timeout && *hook.timeout <= 0)
            return error(Errc::invalid, cat("hooks.", where, ": a timeout must be greater than zero"));
        if (hook.timeout) step.timeout = static_cast<uint32_t>(*hook.timeout);
        out.push_back(std::move(step));
    }
    return out;
}

Result<> plan_hooks(Draft& d) {
    const spec::Hooks& from = d.spec.hooks;
    launch::Hooks& to = d.launch.hooks;
    to.prestart = TRY(hooks(from.prestart, "prestart"));
    to.create_runtime = TRY(hooks(from.create_runtime, "createRuntime"));
    to.create_container = TRY(hooks(from.create_container, "createContainer"));
    to.start_container = TRY(hooks(from.start_container, "startContainer"));
    to.poststart = TRY(hooks(from.poststart, "poststart"));
    to.poststop = TRY(hooks(from.poststop, "poststop"));
    return {};
}

Result<> plan_net_devices(Draft& d) {
    if (d.spec.net_devices.empty()) return {};
    if (d.spec.network.mode == spec::Network::Mode::host)
        return error(Errc::invalid,
                     "linux.netDevices: there is no network namespace of the container's own that they could move to: "
                     "list one in linux.namespaces");
    for (const auto& [from, to] : d.spec.net_devices) d.launch.net_devices.push_back({from, to.empty() ? from : to});
    return {};
}

// What `schemata` says stands behind the two older members. A group that is named may be another's: it is made when it is
// not there, and stays; without a name it is the container's own.
void plan_rdt(Draft& d) {
    const spec::Resources& r = d.spec.resources;
    if (!r.rdt) return;
    launch::Rdt& rdt = d.launch.rdt;
    for (const std::string* line : {&r.rdt_l3, &r.rdt_mb})
        if (!line->empty()) rdt.schemata.push_back(*line);
    rdt.schemata.insert(rdt.schemata.end(), r.rdt_schemata.begin(), r.rdt_schemata.end());
    rdt.monitoring = r.rdt_monitoring;
    rdt.may_exist = !r.rdt_clos.empty();
    rdt.group = rdt.may_exist ? r.rdt_clos : d.spec.name;
}

Result<> plan_memory(Draft& d) {
    const spec::Resources& r = d.spec.resources;
    if (r.memory_policy.empty()) return {};
    constexpr std::string_view modes[] = {"MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND",
                                          "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED_MANY",
                                          "MPOL_WEIGHTED_INTERLEAVE"};
    auto mode = std::ranges::find(modes, r.memory_policy);
    if (mode == std::end(modes))
        return error(Errc::invalid, cat("linux.memoryPolicy.mode: ", quoted(r.memory_policy), " is none"));
    uint32_t value = static_cast<uint32_t>(mode - std::begin(modes));
    struct Flag {
        std::string_view name;
        uint32_t bit;
    };
    constexpr Flag flags[] = {{"MPOL_F_NUMA_BALANCING", 1 << 13},
                              {"MPOL_F_RELATIVE_NODES", 1 << 14},
                              {"MPOL_F_STATIC_NODES", 1 << 15}};
    for (const std::string& word : r.memory_policy_flags) {
        auto flag = std::ranges::find(flags, word, &Flag::name);
        if (flag == std::end(flags))
            return error(Errc::invalid, cat("linux.memoryPolicy.flags: ", quoted(word), " is none"));
        value |= flag->bit;
    }
    d.launch.process.memory_policy = value;
    if (!r.memory_policy_nodes.empty())
        d.launch.process.memory_policy_nodes = TRY(number_list(r.memory_policy_nodes, "linux.memoryPolicy.nodes"));
    return {};
}

}  // namespace

Result<> plan_life(Draft& d) {
    TRY(plan_hooks(d));
    TRY(plan_net_devices(d));
    plan_rdt(d);
    return plan_memory(d);
}

}  // namespace croft::plan
