// Runs a program of the host, gives it text and takes its answer: credential helpers, gpgv.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace croft::registry {

struct HelperAnswer {
    int status = 0;  // as a shell has it: 127 no such program, 128 and the number of a signal
    std::string output, errors;
};

// Found in $PATH when there is no slash in it. At most 1 MiB of output is taken, and it may take half a minute.
Result<HelperAnswer> run_helper(const std::vector<std::string>& words, std::string_view input);

}  // namespace croft::registry
