// The whole way of croft-seccomp: request text in, kept filter (launch/seccomp_file.h) out.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "seccomp/policy.h"
#include "seccomp/request.h"

namespace croft::seccomp {

Result<Policy> resolve(const Request& request);
// The helper's identity in the header is left zero; the launcher that keeps the file fills it in.
Result<std::string> compile(std::string_view request);

}  // namespace croft::seccomp
