// A whole tree copied to a new place on this host: owners, modes, times, hard links, symlinks,
// device nodes, FIFOs, extended attributes (capabilities of files among them), holes; reflinks where the file
// system has them. Mounts below are not entered. Who is not root becomes the owner of all, which is root inside his machines,
// and goes without device nodes and file capabilities. Called by create.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace croft::manager {

// How far it is; an error of the watcher ends the copying.
struct Copied {
    uint64_t entries = 0, bytes = 0;
};
using TreeWatch = std::function<Result<>(const Copied& so_far)>;

// `target` must not exist; its parent must. What was copied so far stays there after an error: the caller's
// to remove.
Result<> copy_tree(const std::string& source, const std::string& target, const TreeWatch& watch = {});

}  // namespace croft::manager
