// The talk between a launching process and the payload's before exec: one socket, small messages.
#pragma once

#include <functional>
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

// What the payload's process may ask for on its way.
struct Requests {
    Fd console;                                    // a terminal's master that it has opened
    std::function<Result<>(int)> container_hooks;  // to have these run; the stage's root
    std::function<Result<>(int)> listener;         // to have this descriptor of its table handed on
};

// Reads until exec has happened (end of file: the socket is CLOEXEC), the payload waits at the gate, or a
// failure is told. What is asked for is done on the way.
Result<> wait_for_exec(int socket, const launch::LaunchPlan& plan, Requests& requests);

// What a process that waits for its maker is told.
Result<> say_go(int socket);

// launch::explain, with the kernel's reason behind it.
Error explain_failure(const launch::LaunchPlan& plan, const launch::StepFailure& failure,
                      std::string_view reason);

}  // namespace croft::run
