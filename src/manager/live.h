// Limits of a machine that runs, changed at once. Called by change.cc.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "manager/machines.h"
#include "spec/machine_spec.h"

namespace croft::manager {

// Makes the machine's limits those of `spec`: the files of its control group, and the plan that is kept of
// it, so that a reboot from inside keeps them. What is not a limit stays as it is until the next start.
//
// Where machines are units of systemd their limits are the unit's, and systemd is asked to write the files:
// of the properties in `changed`, for as long as the unit lives.
Result<> apply_limits(const Paths& paths, const Machine& machine, const spec::MachineSpec& spec,
                      const std::vector<std::string>& changed);

}  // namespace croft::manager
