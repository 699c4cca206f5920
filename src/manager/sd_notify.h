// What a service tells systemd about itself: the protocol of sd_notify(3), which systemd keeps stable and documents for
// implementations like this one (the static programs cannot link libsystemd). Called by unit_launch.cc.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace croft::manager {

// Was this process started by systemd as a service that may notify ($NOTIFY_SOCKET)?
bool may_notify();
// One message: lines NAME=VALUE. `descriptors` go with it (FDSTORE=1).
Result<> notify_systemd(std::string_view message, std::span<const int> descriptors = {});
// Returns when systemd has taken all that was sent before (sd_notify_barrier(3)): only then may a sender end, because
// systemd finds the unit of a message by its sender's process.
Result<> notify_barrier();

}  // namespace croft::manager
