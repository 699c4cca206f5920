// Waiting until a machine in the background is up. Called by start.cc and start_unit.cc.
#pragma once

#include "base/result.h"
#include "manager/start.h"
#include "manager/watch.h"

namespace croft::manager {

// Until READY=1, or the machine's end, which `out` then tells. An init that says nothing of itself counts as up when it
// has not ended within 0.3 s. timeout: it runs on. `told` ends when there is something to look at (KeptStart::ready);
// after that, and without it, the directory is watched.
Result<> wait_ready(const Paths& paths, Watch& watch, Fd told, const StartOptions& options, Started& out);

}  // namespace croft::manager
