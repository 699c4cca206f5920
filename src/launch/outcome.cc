#include "launch/outcome.h"

#include <csignal>

#include "base/signals.h"
#include "base/text.h"

namespace croft::launch {

using Kind = Outcome::Kind;

Outcome outcome_from_wait(int code, int status, bool pid1) {
    if (code == CLD_EXITED) return {Kind::exited, status, {}};
    // reboot(2) in a PID namespace kills its init with one of these; nothing else inside can, because an init
    // gets only the signals that it has handlers for. (A SIGHUP from outside looks the same: who sends it
    // means it.)
    if (pid1 && status == SIGHUP) return {Kind::rebooted, 0, {}};
    if (pid1 && status == SIGINT) return {Kind::powered_off, 0, {}};
    return {Kind::signalled, status, {}};
}

int exit_status(const Outcome& outcome) {
    switch (outcome.kind) {
        case Kind::running:
        case Kind::rebooted:
        case Kind::powered_off:
            return 0;
        case Kind::never_started:
            return outcome.status != 0 ? outcome.status : 125;
        case Kind::exited:
        case Kind::stopped:
            return outcome.status;
        case Kind::signalled:
            return 128 + outcome.status;
        case Kind::killed:
            return 128 + SIGKILL;
    }
    return 125;
}

std::string describe(const Outcome& outcome) {
    auto with_text = [&](std::string sentence) {
        return outcome.text.empty() ? sentence : cat(sentence, ": ", outcome.text);
    };
    switch (outcome.kind) {
        case Kind::running:
            return "running";
        case Kind::never_started:
            return with_text("did not start");
        case Kind::exited:
            return with_text(cat("exited with status ", outcome.status));
        case Kind::signalled:
            return with_text(cat("killed by ", signal_name(outcome.status)));
        case Kind::rebooted:
            return "rebooted";
        case Kind::powered_off:
            return "powered off";
        case Kind::stopped:
            return with_text(cat("stopped on request, with status ", outcome.status));
        case Kind::killed:
            return with_text("did not stop in time and was killed");
    }
    return "";
}

}  // namespace croft::launch
