// Machines as units of systemd: the side that systemd starts (src/apps/croft_launch.cc). The story:
//
//   ExecStart      launch_in_unit: gets or makes the machine's claim and plan, launches with CLONE_PARENT, so that the
//                  payload is systemd's own child; gives systemd the locks to keep (its fd store: an OFD lock lives as
//                  long as somebody has the file open), names the payload as the main process and is gone.
//   ExecStartPost  unit_is_ready: systemd has seen READY=1; leaves the mark that `croft list` reads.
//   ExecStopPost   end_of_unit: writes down how it ended and clears what is left. Before a reboot nothing of that
//                  happens: systemd starts the unit again, and the launcher finds the locks among its descriptors.
//
// Where the claim and the plan come from, in this order:
//   locks came from the fd store and the machine has not ended     a reboot: the same plan again
//   somebody listens on the machine's `start` socket               `croft run`, `boot`, `start`: handed over
//   the unit is croft@NAME.service                                 systemd starts a declared machine: planned here
//   a record and a plan are there                                  a transient unit that is restarted: taken again
#pragma once

#include <string>

#include "base/result.h"
#include "manager/paths.h"

namespace croft::manager {

Result<> launch_in_unit(const Paths& paths, const std::string& name);
Result<> unit_is_ready(const Paths& paths, const std::string& name);
Result<> end_of_unit(const Paths& paths, const std::string& name);

}  // namespace croft::manager
