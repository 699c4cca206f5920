// The mark of a tree that is being copied for a declared machine: NAME.incomplete beside its machine file. It
// is there before the copy begins and goes when the copy is whole, so a machine that has it and whose copy is
// not under way is one whose `croft create --from` was interrupted: never to be started, only to be removed.
//
// Whoever copies holds a lock on it, which the kernel drops when he dies.
#pragma once

#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "manager/paths.h"

namespace croft::manager {

bool is_marked_incomplete(const Paths& paths, std::string_view name);
// Its text is the path that is being filled. exists: another command copies for this name just now.
Result<Fd> mark_incomplete(const Paths& paths, std::string_view name, std::string_view target);
// What is being filled, of a copy that was interrupted; busy when it goes on.
Result<std::string> interrupted_copy(const Paths& paths, std::string_view name);
void clear_incomplete(const Paths& paths, std::string_view name);

}  // namespace croft::manager
