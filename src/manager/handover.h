// What the command that starts a machine and the launcher in the machine's unit say to each other, over the socket
// `start` in the machine's directory. Called by unit_start.cc and unit_launch.cc.
//
//   starter: listens, has systemd start the unit, accepts
//   launcher: connects
//   starter: one message, Request, with descriptors: three streams if has_streams, then the machine's locks
//   launcher: 'L' and the leader's pid, and when it was wanted the console as run/hold.h sends it; or 'E' and the error
// Its end without either: the launcher was killed.
#pragma once

#include <cstdint>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace croft::manager {

struct StartRequest {
    char kind = 'S';
    bool has_streams = false;    // the payload gets the starter's standard streams
    bool starter_waits = false;  // the starter stays for the machine's life, as its keeper, and clears what it leaves
    bool wants_console = false;  // the connection becomes one as from run::connect_attach()
    int32_t fail_step = -1, kill_step = -1;  // fault walk (start.h)
};

Result<Fd> listen_start(int directory);
// not_found when nobody listens: then systemd has started the unit by itself.
Result<Fd> connect_start(int directory);
Result<> send_request(int connection, const StartRequest& request, const std::vector<int>& descriptors);
Result<StartRequest> receive_request(int connection, std::vector<Fd>& descriptors);
Result<> send_launched(int connection, int32_t leader);
void send_failure(int connection, const Error& error);
// The leader's pid; an error is the launcher's own.
Result<int32_t> receive_answer(int connection);

// An error on its way between two of our processes: code, errno, text.
std::string pack_error(const Error& error);
Error unpack_error(std::string_view bytes);

}  // namespace croft::manager
