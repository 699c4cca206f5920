// Classic BPF from a policy: for each architecture a balanced tree over ranges of numbers with one verdict,
// with argument checks in its leaves.
//
// Why a tree: the kernel runs a new filter once for every system call number to fill its allow bitmap, so the
// mean path, not the length, is what loading costs (a linear program of the same verdicts takes five times as
// long to load), and calls whose arguments are checked walk it at run time.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "base/result.h"
#include "seccomp/policy.h"

namespace croft::seccomp {

// At most BPF_MAXINSNS (4096) instructions; a larger filter is an error.
Result<std::vector<sock_filter>> generate(const Policy& policy);

}  // namespace croft::seccomp
