// Sockets that an engine listens on for a descriptor of ours: --console-socket and --pidfd-socket.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace croft::oci {

// The path may be longer than an address of unix(7) holds.
Result<Fd> connect_socket(const std::string& path, const char* flag);
// One message: these bytes, which tell what it is, and the descriptor.
Result<> send_descriptor(int socket, std::string_view bytes, int descriptor, const char* flag);

}  // namespace croft::oci
