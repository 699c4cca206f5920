// Runs a program of the host's and collects what it says. Called by supervisor.cc for systemd's own tools.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace croft::systemd {

// Its exit status (128+n for a signal); `said` is both of its outputs. argv[0] is searched in $PATH.
Result<int> run_program(const std::vector<std::string>& argv, std::string& said);

}  // namespace croft::systemd
