// hold: how a process that has launched a machine becomes its tiny parent (src/apps/hold,
// run/hold_protocol.h).
//
// Who may call it: manager/, in the process that called launch() for a detached machine, after it has written
// the machine's record.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/fd.h"
#include "base/result.h"
#include "run/launch.h"

namespace croft::run {

struct HoldOptions {
    std::string name;
    std::string helper_directory;  // where croft-hold is
    std::string croft;             // path of the croft program, for _relaunch and _cleanup
    Fd directory;                  // the machine's directory
    Fd lock;                       // its held lock
    Fd ready;           // closed when the payload says READY=1, or ends
    Fd client;          // one end of a socket pair: attached from the start, so that no output is missed
    Fd output, errors;  // read ends of the payload's pipes, when it has no console
    uint64_t log_limit = 8 << 20;  // bytes of `log` before it becomes `log.1`
    uint32_t stop_signal = 15;     // to the payload when croft-hold gets SIGTERM
    bool boot = false;             // PID 1 may ask for a reboot
    bool unit = false;             // systemd is the parent: croft-hold keeps the console, and nothing else
    bool has_cleanup = false;
};

// The socket `attach` in the machine's directory: become_hold listens, `croft attach` connects.
Result<Fd> listen_attach(int directory);
Result<Fd> connect_attach(int directory);
// The console's master from a fresh connection; busy when somebody is attached, wrong_state when there is no
// console.
Result<Fd> receive_console(int connection);
// What croft-hold answers to one who connects, for `client`: sent before become_hold(). A pair to do it with.
Result<> send_console(int connection, int console);
Result<std::pair<Fd, Fd>> attach_pair();

// Executes croft-hold, which keeps what it is given here and every descriptor that is not CLOEXEC. Returns
// only when that failed; the payload is then still running and still a child.
Error become_hold(Launched&& launched, HoldOptions&& options);

}  // namespace croft::run
