// Parts of a plan for a machine that runs already.
#include "plan/draft.h"

namespace croft::plan {

Result<launch::Cgroup> plan_changed_limits(const spec::MachineSpec&, const spec::HostFacts&) {
    return error(Errc::unsupported, "changing limits is not available yet");
}

Result<Plans> plan_joining(const spec::MachineSpec&, const spec::HostFacts&) {
    return error(Errc::unsupported, "--process is not available yet");
}

}  // namespace croft::plan
