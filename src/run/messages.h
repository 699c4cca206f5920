// The talk between a launching process and the payload's before exec: one socket, small messages.
#pragma once

#include <optional>

#include "base/fd.h"
#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

struct SyncSocket {
    Fd ours, theirs;
};
Result<SyncSocket> make_sync_socket();

// Reads until exec has happened (end of file: the socket is CLOEXEC) or a failure is told. A terminal's master that
// comes on the way lands in `console`.
std::optional<launch::StepFailure> wait_for_exec(int socket, Fd& console);

}  // namespace croft::run
