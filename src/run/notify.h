// Readiness as systemd's programs tell it (sd_notify(3)): a datagram with the line READY=1.
#pragma once

#include <sys/types.h>

namespace croft::run {

// Takes one datagram from a bound socket with SO_PASSCRED. True when it says READY=1 and the kernel vouches
// that PID `sender` sent it: only a machine's PID 1 can say that the machine is ready. Descriptors that come
// with it are closed.
bool receive_ready(int socket, pid_t sender);

}  // namespace croft::run
