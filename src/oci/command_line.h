// The command line of an OCI runtime: what engines call (docs/oci.md has the flags, the words and the exit statuses).
#pragma once

#include "base/result.h"

namespace croft::oci {

struct Global;

// The whole of croft-oci but for its process: the exit status.
int run_command_line(int argc, char** argv);

// croft-oci-systemd takes this process's place, with the same words: libsystemd needs a dynamic program, and that costs at
// start. Never returns when it goes well; not called by croft-oci-systemd itself (manager::supervisor() is set there).
Result<> leave_to_systemd(const Global& global);

// Whether containers of this caller are the system's, or a user's.
bool is_system();

}  // namespace croft::oci
