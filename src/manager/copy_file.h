// One regular file's content and attributes, between two open files. Called by copy.cc.
#pragma once

#include <sys/stat.h>

#include "base/result.h"

namespace croft::manager {

// Copies all of it, and leaves holes as holes.
Result<> copy_content(int from, int to, off_t size);
// Extended attributes of the "user." kind. What the target's file system cannot keep is left out.
void copy_user_attributes(int from, int to);

}  // namespace croft::manager
