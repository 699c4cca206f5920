// How each init is asked to power off or reboot: by a signal, or by a request on a FIFO of its own. Called by
// control.cc and stop.cc.
#pragma once

#include "base/result.h"
#include "manager/record.h"

namespace croft::manager {

enum class Request { poweroff, reboot };
// `pidfd` is the leader's. unsupported when this init has no way that we know.
Result<> ask_init(const Record& record, int pidfd, Request request);

}  // namespace croft::manager
