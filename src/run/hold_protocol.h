// What croft, croft-hold and an attached terminal say to each other. Plain constants: croft-hold has no libc.
//
// croft-hold is the parent that a detached machine, or one with a terminal, has in direct mode. The launching
// process becomes it by exec, so the payload is its child already. It is told everything by NAME=VALUE
// arguments:
//
//   name=NAME           of the machine
//   pid=N pidfd=FD      the payload
//   dir=FD              the machine's run directory: log, ready, exit are written there
//   console=FD          master of the machine's pseudo terminal (optional)
//   out=FD err=FD       pipes of the payload's output (optional)
//   notify=FD           bound datagram socket with SO_PASSCRED (optional): READY=1 from the payload makes
//   `ready`, and closes ready=FD, at whose other end the starting command waits (optional)
//   listen=FD           listening SOCK_SEQPACKET socket for attaching (optional) client=FD the first
//   attached peer, connected from the start (optional) cgroup=FD           of the machine's cgroup; emptied
//   and removed at the end, `cgname=` below `cgparent=FD` stop=N              signal for the payload when
//   croft-hold itself gets SIGTERM boot=1              PID 1 may reboot: then `croft=PATH _relaunch NAME` is
//   executed instead of ending cleanup=1           `croft=PATH _cleanup NAME` is executed at the end
//   unit=1              systemd is the parent, and tells how the machine ends: croft-hold keeps the console
//   only, writes what nobody reads of it to its standard output (the journal), and ends with the payload
//   logmax=BYTES        size at which `log` becomes `log.1` (default 8 MiB)
// Every other fd it was given stays open until it ends; the lock of the machine is one of them.
//
// Attaching: connect to `attach` in the run directory. The answer is one message of one byte: 'c' with the
// console's master as SCM_RIGHTS, or 'b' when another terminal is attached. While the connection is open the
// peer alone reads the console. At the machine's end the peer gets 'e' followed by HoldExit and the
// connection is closed.
#pragma once

#include <stdint.h>

namespace croft::run {

inline constexpr char hold_console = 'c', hold_busy = 'b', hold_exit = 'e';
inline constexpr long hold_log_max = 8 << 20;

// si_code and si_status of waitid(2).
struct HoldExit {
    int32_t code, status;
};
// The `exit` file holds one line: "CODE STATUS MICROSECONDS" (CLOCK_REALTIME), decimal.

}  // namespace croft::run
