// Removing a directory with all below it, without ever leaving it: every step is relative to an open
// directory and follows no symlink, so what a guest put there cannot lead it elsewhere. Called by
// whoever keeps trees.
#pragma once

#include "base/result.h"

namespace croft {

// What is not there counts as removed. A mount below is an error (EBUSY), nothing under it is touched.
Result<> remove_tree_at(int dir, const char* name);
// All entries of an open directory but `keep` (may be null).
Result<> empty_directory(int dir, const char* keep = nullptr);

}  // namespace croft
