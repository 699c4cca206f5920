// Until run/gate.h is there: nobody waits anywhere.
#pragma once

#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

inline bool waits_at_gate(int) { return false; }
inline void remove_gate(int) {}
inline Result<> open_gate(int, const launch::LaunchPlan&) {
    return error(Errc::unsupported, "start is not available yet");
}

}  // namespace croft::run
