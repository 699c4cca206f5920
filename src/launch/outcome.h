// Outcome: how a machine ended.
#pragma once

#include <cstdint>
#include <string>

namespace croft::launch {

struct Outcome {
    enum class Kind : uint8_t {
        running,        // has not ended
        never_started,  // `text` says which step failed
        exited,         // status is the exit status
        signalled,      // status is the signal's number
        rebooted,       // PID 1 asked for reboot(2) restart
        powered_off,    // PID 1 asked for power-off or halt
        stopped,        // ended after a stop request, status as exited
        killed,         // did not end within the stop timeout and was killed
    };
    Kind kind = Kind::running;
    int status = 0;
    std::string text;
};

// From waitid(2)'s si_code and si_status. A PID namespace's init that called reboot(2) "dies" of SIGHUP (restart) or
// SIGINT (halt, power off): pid_namespaces(7), reboot(2).
Outcome outcome_from_wait(int code, int status, bool pid1);
// Exit status for a shell: the payload's own, 128+n for a signal, 0 for a power-off.
int exit_status(const Outcome& outcome);
std::string describe(const Outcome& outcome);  // "exited with status 7", "killed by SIGKILL"

}  // namespace croft::launch
