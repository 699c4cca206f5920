// hold: how a process that has launched a machine becomes its tiny parent (src/apps/hold, run/hold_protocol.h).
//
// Who may call it: manager/, in the process that called launch() for a detached machine, after it has written the
// machine's record.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "run/launch.h"

namespace croft::run {

struct HoldOptions {
    std::string name;
    std::string helper_directory;     // where croft-hold is
    std::string croft;                // path of the croft program, for _relaunch and _cleanup
    Fd directory;                     // the machine's directory
    Fd lock;                          // its held lock
    Fd output, errors;                // read ends of the payload's pipes, when it has no console
    Fd report;                        // write end to the command that waits for the start
    std::string cgroup_root, cgroup_path, cgroup_payload;  // as in the environment and the plan
    uint64_t log_limit = 1 << 20;     // bytes of `log` before it becomes `log.1`
    uint32_t stop_signal = 15;
    bool boot = false;                // PID 1 may ask for a reboot
    bool has_cleanup = false;
};

// The socket NAME/attach, made by become_hold; also for the client: connect to it relative to `directory`.
Result<Fd> listen_attach(int directory);
Result<Fd> connect_attach(int directory);
// The console master from a fresh connection; busy when somebody is attached, wrong_state when there is no console.
Result<Fd> receive_console(int connection);

// Executes croft-hold. Returns only when that failed; the payload is then still running and still a child.
Error become_hold(Launched&& launched, HoldOptions&& options);

}  // namespace croft::run
