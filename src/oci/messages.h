// What croft-oci tells: to standard error, and to the file of --log, where engines look for the reason of a failure.
#pragma once

#include <string>

#include "base/result.h"

namespace croft::oci {

// From here on warnings go to this file (all that exists is kept). format: "text" or "json".
Result<> open_log(const std::string& path, const std::string& format);
// The error that ends the program: to standard error and to the log.
void tell_error(const Error& error);

}  // namespace croft::oci
