// The talk between a launching process and the payload's before exec: one socket, small messages.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

struct SyncSocket {
    Fd ours, theirs;
};
Result<SyncSocket> make_sync_socket();

struct ToldFailure {
    launch::StepFailure failure;
    std::string reason;  // the kernel's own sentence, where it had one
};

// Reads until exec has happened (end of file: the socket is CLOEXEC) or a failure is told. A terminal's
// master that comes on the way lands in `console`.
std::optional<ToldFailure> wait_for_exec(int socket, Fd& console);

// launch::explain, with the kernel's reason behind it.
Error explain_failure(const launch::LaunchPlan& plan, const launch::StepFailure& failure,
                      std::string_view reason);

}  // namespace croft::run
