#include "plan/planner.h"

#include <algorithm>

#include "plan/draft.h"

namespace croft::plan {

namespace {

// As many as run/ has room for: each is a descriptor that the launcher holds open.
constexpr launch::Slot most_slots = 256;

Result<> check_size(const launch::LaunchPlan& plan) {
    size_t longest = std::max({plan.host.size(), plan.stage.size(), plan.inside.size()});
    if (plan.slots <= most_slots && longest <= UINT16_MAX) return {};
    return error(Errc::invalid, cat("the machine has too many mounts and devices: they need ", plan.slots,
                                    " open files at once, and ", most_slots, " is the most"));
}

}  // namespace

Result<Plans> plan(const spec::MachineSpec& spec, const spec::HostFacts& facts) {
    using Topic = Result<> (*)(Draft&);
    static constexpr Topic of_machine[] = {plan_users, plan_namespaces, plan_cgroup,  plan_root,
                                           plan_integration, plan_dev,  plan_run,     plan_mounts,
                                           plan_api,   plan_command,    plan_process, plan_security, plan_life};
    static constexpr Topic of_bundle[] = {plan_bundle_users,  plan_namespaces,    plan_bundle_cgroup,  plan_bundle_root,
                                          plan_bundle_mounts, plan_bundle_inside, plan_bundle_command, plan_process,
                                          plan_security,      plan_life};
    Plans plans;
    Draft draft(spec, facts, plans);
    plans.launch.name = spec.name;
    plans.launch.boot = draft.boot;
    if (draft.bundle) {
        for (Topic topic : of_bundle) TRY(topic(draft));
    } else {
        TRY(check_offered(draft));
        for (Topic topic : of_machine) TRY(topic(draft));
        plan_unit(draft);
    }
    TRY(check_size(plans.launch));
    return plans;
}

}  // namespace croft::plan
