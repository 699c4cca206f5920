// Machines with a keeper: a process that launches the machine and then becomes croft-hold. Called by start.cc
// and relaunch.cc; attach_console() also by exec.cc.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "launch/outcome.h"
#include "manager/prepare.h"

namespace croft::manager {

// Forks the keeper, which launches; the leader's pid. When this returns well, croft-hold is running; an error
// is the launch's own, and the keeper is gone. The machine stays the caller's to clear until it calls keep().
Result<int> start_detached(Prepared& machine);

// In the process that shall be the keeper: launches and becomes croft-hold. Returns only with an error, and
// then nothing of the launch is left. `status` (CLOEXEC) gets one byte when the machine runs; its end tells
// that croft-hold does.
Error launch_and_hold(Prepared& machine, Fd status);

// Gives this terminal to the console of the machine whose directory it is, until the machine ends or the user
// leaves with the keys ("" means the default ones).
Result<launch::Outcome> attach_console(int directory, const std::string& detach_keys, bool boot);

}  // namespace croft::manager
