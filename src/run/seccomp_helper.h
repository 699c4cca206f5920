// Runs croft-seccomp once: the cold path of run/seccomp_cache.h, which alone calls it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace croft::run {

// The bytes the helper wrote; its sentence as an error when it refused. It is killed after ten seconds.
Result<std::string> run_seccomp_helper(const std::string& helper, std::string_view request);

}  // namespace croft::run
