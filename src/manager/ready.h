// A machine that is ready: everything that a start takes is taken (name, ids, tree, plan), and no process of
// it is there. A keeper, a process of ours, holds it until it is told to launch, or to give it all back.
// Called by start.cc and stop.cc.
//
//     prepare() --> hold_ready() --> [ready] -- launch_ready() --> the keeper launches: becomes croft-hold,
//                                       |                          or hands all to the machine's unit
//                                       |
//                                       +----- give_back(), or SIGTERM: nothing of it is left
#pragma once

#include "base/result.h"
#include "manager/machines.h"
#include "manager/prepare.h"

namespace croft::manager {

// Returns when the keeper has it.
Result<> hold_ready(Prepared machine);
// Tells the keeper of the machine in this directory to launch; the leader's pid. An error is the launch's
// own, and nothing of the machine is left.
Result<int> launch_ready(int directory);
Result<> give_back(const Machine& machine);

}  // namespace croft::manager
