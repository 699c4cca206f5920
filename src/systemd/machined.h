// systemd-machined, where it runs: machines are registered there, so that machinectl, systemctl -M, journalctl -M,
// loginctl -M and nss-mymachines find them. Called by the verb _register, which the launcher becomes.
#pragma once

#include <string>

#include "base/result.h"
#include "launch/launch_plan.h"
#include "manager/record.h"

namespace croft::systemd {

// Nothing happens where there is no machined. It forgets the machine by itself when its unit ends.
Result<> register_machine(const manager::Record& record, const launch::LaunchPlan& plan);

}  // namespace croft::systemd
