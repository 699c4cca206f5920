// Where archives are unpacked: a place from which there is nowhere to go.
//
// An archive is somebody else's, and what reads it (four decompressors, the reader of tar) is the largest
// piece of code that a stranger's bytes go through. Whoever takes over this process can do to the tree what
// an archive can do anyway, and nothing else: the tree is its root, there is no other mount above it, no
// symbolic link is followed, nothing can be executed or opened as a device; there is no network, no way to
// another process, no new privilege.
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace croft::archive {

enum class MakesNodes { no, yes };

// Puts this process, which has one thread yet, there; `tree` becomes the root. What comes back is the tree
// inside. Needs CAP_SYS_ADMIN where it is: as root, or as root of a user namespace. On an error the process
// must end.
Result<Fd> enter_sandbox(Fd tree, MakesNodes nodes);

}  // namespace croft::archive
