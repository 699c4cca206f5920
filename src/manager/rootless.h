// Machines of a user: before anything else, the command gets a user namespace of its own. Called by start.cc, and by
// oci/bundle.cc.
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

// The same for a container whose configuration speaks of the host's ids: all ids that are the user's keep their numbers, and
// the user stays who it is, with every capability over what is its own (until execve(2)).
Result<> enter_own_users();

}  // namespace croft::manager
