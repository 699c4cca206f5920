// What a machine that lives was made from, as its start has kept it in the machine's directory: the plan that
// was performed, and for detached machines the spec. Called within manager/, and by cli/ for `croft diff`.
#pragma once

#include <string_view>

#include "base/result.h"
#include "launch/launch_plan.h"
#include "manager/paths.h"
#include "spec/machine_spec.h"

namespace croft::manager {

Result<launch::LaunchPlan> kept_plan(const Paths& paths, std::string_view name);
// Both are the owner's alone: environment and credentials may be secrets.
Result<> keep_plan(int directory, const launch::LaunchPlan& plan);

// As the text of a machine file; unsupported for a machine of which no spec was kept (one in the foreground).
Result<spec::MachineSpec> kept_spec(const Paths& paths, std::string_view name);
Result<> keep_spec(int directory, const spec::MachineSpec& spec);

}  // namespace croft::manager
