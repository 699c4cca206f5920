// A process of a container that this command is the parent of, from its launch to its end.
#pragma once

#include "base/result.h"
#include "launch/outcome.h"
#include "run/launch.h"
#include "run/relay.h"

namespace croft::oci {

// Signals go in, the terminal both ways; the process is reaped. On failure it is killed.
Result<launch::Outcome> stay_with(run::Launched& launched, const run::SignalTrap& signals);

}  // namespace croft::oci
