// The planner: a MachineSpec and what is known of this host become what shall be done.
//
// Pure: no system call, no clock, no environment, no randomness. Whatever it needs to know is in HostFacts,
// so that `croft plan` shows exactly what `croft run` performs, and every decision is tested as text. Called
// by manager/. The spec is complete and has passed spec::validate(); what only this host can refuse is
// refused here, each time as a sentence that names the option and says what to do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "launch/launch_plan.h"
#include "launch/unit_plan.h"
#include "spec/host_facts.h"
#include "spec/machine_spec.h"

namespace croft::plan {

struct Plans {
    launch::LaunchPlan launch;
    launch::UnitPlan unit;
    std::vector<std::string> warnings;  // sentences: what is weaker, or left out, on this host
};

Result<Plans> plan(const spec::MachineSpec& spec, const spec::HostFacts& facts);

// What a declared machine's unit has beside the template croft@.service: the same as plan() gives to a
// machine without one, but for what every machine's unit has (how it is launched and watched). Of the facts
// only those about the tree's init and about device nodes count.
Result<launch::UnitPlan> plan_drop_in(const spec::MachineSpec& spec, const spec::HostFacts& facts);

// Of a container that runs: the settings of its control group that the spec's resources ask for (its group is
// resources.cgroup_path, what it has been told before is not looked at), and a process that joins it.
Result<launch::Cgroup> plan_changed_limits(const spec::MachineSpec& spec, const spec::HostFacts& facts);
Result<Plans> plan_joining(const spec::MachineSpec& spec, const spec::HostFacts& facts);

// Where systemd puts units of this slice, with a slash behind it: "a-b.slice" is below "a.slice" (systemd.slice(5)).
std::string slice_path(std::string_view slice);

// Whether croft itself sets this property of systemd.resource-control(5), as a file of the machine's control
// group: then it can also be changed while the machine runs. What else there is takes effect by systemd
// alone.
bool is_group_limit(std::string_view property, std::string_view value);

}  // namespace croft::plan
