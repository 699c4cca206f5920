// Waiting until a machine in the background is up. Called by start.cc and start_unit.cc.
#pragma once

#include "base/result.h"
#include "manager/start.h"
#include "manager/watch.h"

namespace croft::manager {

// Until READY=1, or the machine's end, which `out` then tells. An init that says nothing of itself counts as up when it
// has not ended within 0.3 s. timeout: it runs on.
Result<> wait_ready(const Paths& paths, const Watch& watch, const StartOptions& options, Started& out);

}  // namespace croft::manager
