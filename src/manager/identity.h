// What makes a machine this one and no other: taken out of a copy of its tree, so that the copy gets its own when it boots.
#pragma once

#include "base/result.h"

namespace croft::manager {

// `root` is the tree's top, opened for reading; every path is walked in it. machine-id(5) becomes empty, which has an init
// make a new one; host keys of sshd, saved seeds of the random generator (two machines would begin with the same
// randomness) and the secret of systemd's credentials go.
Result<> forget_identity(int root);

}  // namespace croft::manager
