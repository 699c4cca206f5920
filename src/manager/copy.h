// Copying files into and out of a machine that runs. Called by cli/ (`croft cp`).
//
// A child process joins nothing of the guest's: it only holds the leader's root as an fd and walks it with
// *at calls and RESOLVE_IN_ROOT; no program or library of the tree is executed or loaded (CVE-2019-14271).
// Owners pass through the machine's id map: a file of root inside is a file of root outside, and the other
// way round. Kept: modes, times, hard links, symlinks (as they are), extended attributes of "user.", holes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "manager/machines.h"

namespace croft::manager {

enum class Direction { in, out };
// As cp -a: a target that is a directory gets the source below it under its own name.
Result<> copy(const Paths& paths, std::string_view name, Direction direction, const std::string& source,
              const std::string& target);

}  // namespace croft::manager
