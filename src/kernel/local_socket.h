// Sockets between processes of this host (unix(7), SOCK_SEQPACKET) at a name in a directory, and descriptors sent over them
// (SCM_RIGHTS). Called by run/ for consoles and by manager/ for the handover of a machine.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace croft::kernel {

// Only the owner may connect, from the socket's first moment. What was there under the name is removed.
Result<Fd> listen_local(int directory, const char* name);
// not_found when nobody listens there.
Result<Fd> connect_local(int directory, const char* name);

// One message, with at most 16 descriptors.
Result<> send_descriptors(int socket, std::string_view bytes, std::span<const int> descriptors);
// One message of at most `limit` bytes and 16 descriptors, or an error; what came with it is CLOEXEC. Empty at the end of the connection.
Result<std::string> receive_descriptors(int socket, size_t limit, std::vector<Fd>& descriptors);

}  // namespace croft::kernel
