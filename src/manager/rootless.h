// Machines of a user: before anything else, the command becomes root of a user namespace of its own. Called
// by start.cc.
//
// There it has every capability that a machine's mounts and namespaces need, over what is the user's: the
// user is root (0), and the ids that /etc/subuid and /etc/subgid give to the user are 1 and up (written by
// newuidmap(1) and newgidmap(1), which check them). Without such a range the machine has one user only.
// Everything that lives as long as the machine (its keeper too) lives in that namespace.
#pragma once

#include "base/result.h"

namespace croft::manager {

// Also a mount namespace, whose mounts are the host's. What is done here cannot be undone in this process.
// denied, with what to do, where this host lets users make no user namespaces.
Result<> become_fake_root();

}  // namespace croft::manager
