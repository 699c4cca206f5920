// What croft-hold is told and what it tells: the words between croft and the tiny parent of a detached machine.
// Plain C declarations, because croft-hold has no library below it.
//
// croft-hold is executed by become_hold (run/hold.h) in the process whose child the payload is. Its arguments are
// KEY=VALUE words; keys that end in -fd are inherited file descriptors:
//   name=NAME        the machine
//   pid=N pidfd-fd=N the payload, a child of this process
//   dir-fd=N         the machine's directory (NAME/ in croft's run directory)
//   lock-fd=N        the flock that says the machine lives; only kept open
//   console-fd=N     pty master; drained into the log, handed to who attaches
//   out-fd=N err-fd=N read ends of the payload's output pipes; drained into the log
//   notify-fd=N      datagram socket; READY=1 is recorded
//   attach-fd=N      listening SOCK_SEQPACKET socket (NAME/attach)
//   report-fd=N      pipe to the waiting command: see Report
//   cgroup-fd=N      the machine's cgroup; emptied and removed at the end
//   cgroup-parent-fd=N cgroup-name=BASENAME payload=SUBGROUP
//   log-limit=BYTES  size at which `log` becomes `log.1`
//   stop-signal=N    sent to the payload when croft-hold gets SIGTERM
//   croft=PATH       the croft program, executed at the end where needed
//   cleanup=1        the machine's plan has cleanup of its own
//
// Files it writes in the machine's directory, each replaced atomically:
//   ready            empty; READY=1 was seen
//   exit             "SI_CODE SI_STATUS\n": the numbers of waitid(2), for launch::outcome_from_wait
//   log, log.1       all output
//
// At the end: the cgroup is removed; a payload that asked for reboot makes it execute `croft _relaunch NAME LOCKFD`;
// with cleanup=1, or when the cgroup could not be removed, `croft _cleanup NAME LOCKFD`; otherwise it exits.
#pragma once

namespace croft::run::hold_protocol {

// On report-fd, one byte each. The pipe is closed after the first `ready` or `ended`.
enum Report : char {
    ready = 'R',  // READY=1 was seen
    ended = 'E',  // the payload has ended; the file `exit` is there
};

// On an attach connection, first byte of each packet from croft-hold. Closing the connection detaches.
enum Attach : char {
    master = 'M',  // with the pty master as SCM_RIGHTS; croft-hold reads nothing from it while the connection is open
    taken = 'B',   // somebody else is attached; the connection is closed
    none = 'N',    // the machine has no console; the connection is closed
    gone = 'E',    // the payload has ended: followed by two int32, si_code and si_status
};

}  // namespace croft::run::hold_protocol
