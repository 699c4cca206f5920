// The command line of an OCI runtime: what engines call (docs/oci.md has the flags, the words and the exit statuses).
#pragma once

namespace croft::oci {

// The whole of croft-oci but for its process: the exit status.
int run_command_line(int argc, char** argv);

// Whether containers of this caller are the system's, or a user's.
bool is_system();

}  // namespace croft::oci
