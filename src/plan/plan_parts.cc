// Parts of a plan, for a container that runs already.
#include "plan/draft.h"

namespace croft::plan {

Result<launch::Cgroup> plan_changed_limits(const spec::MachineSpec& spec, const spec::HostFacts& facts) {
    Plans plans;
    Draft d(spec, facts, plans);
    d.launch.cgroup.path = spec.resources.cgroup_path;
    TRY(plan_limits(d));
    return std::move(d.launch.cgroup);
}

// Its system call filter is the container's, and so are the ids: the kernel knows which there are.
Result<Plans> plan_joining(const spec::MachineSpec& spec, const spec::HostFacts& facts) {
    Plans plans;
    Draft d(spec, facts, plans);
    plans.launch.name = spec.name;
    plan_terminal(d, false);
    TRY(plan_bundle_command(d));
    TRY(plan_process(d));
    TRY(plan_security(d));
    return plans;
}

}  // namespace croft::plan
