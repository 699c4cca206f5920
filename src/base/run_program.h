// Runs a program of the host's and collects what it says. Called for tools that do what no library of ours does: systemd's,
// cryptsetup's, mkfs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace croft {

struct ProgramOptions {
    std::string input;      // becomes its standard input, at most 32 KiB
    bool asks = false;      // it may ask the user: its input and its errors are the caller's
};

// Its exit status (128+n for a signal); `said` is both of its outputs. argv[0] is searched in $PATH: not_found when it is not
// there.
Result<int> run_program(const std::vector<std::string>& argv, std::string& said, const ProgramOptions& options = {});
// A tool of another package, for `doing` ("unlocking it"): unsupported names the package where the tool is not there; failed
// has the last line that the tool said.
Result<> run_tool(const std::vector<std::string>& argv, const ProgramOptions& options,
                  std::string_view package, std::string_view doing);

}  // namespace croft
