// The system calls of the sandbox.
#pragma once

#include "base/result.h"

namespace croft::archive {

// For this thread and those it makes. Others fail with ENOSYS rather than kill: a C library that tries
// something new has another way for old kernels.
Result<> install_sandbox_filter();

}  // namespace croft::archive
