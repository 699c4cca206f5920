// The parts of unpacking that unpack.h's functions share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "archive/unpack.h"

namespace croft::archive {

// Everything but marking directories opaque: those that must be marked are told. Paths are the tree's.
Result<Unpacked> unpack_into(std::unique_ptr<Source> archive, int tree, const UnpackOptions& options,
                             std::vector<std::string>& opaque);
// Marks them for overlayfs, in the way that options.whiteouts says. The paths are not trusted: one that the limits of
// the options would not let an entry have is an error.
Result<> mark_opaque(int tree, const std::vector<std::string>& paths, const UnpackOptions& options);

}  // namespace croft::archive
