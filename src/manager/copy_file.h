// One regular file's content and attributes, between two open files. Called by copy.cc.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>

#include "base/result.h"

namespace croft::manager {

// Told of each piece that was copied, a few MiB at the most; an error ends the copying.
using CopyWatch = std::function<Result<>(uint64_t bytes)>;
// Copies all of it, and leaves holes as holes.
Result<> copy_content(int from, int to, off_t size, const CopyWatch& watch = {});
// Extended attributes of the "user." kind. What the target's file system cannot keep is left out.
void copy_user_attributes(int from, int to);

}  // namespace croft::manager
