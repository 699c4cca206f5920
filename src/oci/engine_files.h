// What engines are told of a process that was made: its terminal, its pidfd, its pid.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "oci/arguments.h"
#include "run/launch.h"

namespace croft::oci {

// From --console-socket, --pidfd-socket and --pid-file.
class EngineFiles {
  public:
    explicit EngineFiles(const Flags& flags);
    // A terminal is for somebody: for the socket, or for this command when it stays. `where` names what asks for one.
    Result<> check(bool terminal, bool detached, const char* where) const;
    // Before anything is made, because an engine that does not listen is an error.
    Result<> connect();
    // What engines wait for comes last: the descriptors, then the pid.
    Result<> hand_over(const run::Launched& launched) const;

  private:
    std::string console_path_, pidfd_path_, pid_file_;
    Fd console_, pidfd_;
};

// The descriptors that were handed to us for the payload by socket activation (sd_listen_fds(3)).
unsigned passed_sockets();
// --preserve-fds.
Result<unsigned> preserved_descriptors(const Flags& flags);

}  // namespace croft::oci
