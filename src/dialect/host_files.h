// Files of the host whose content a spec holds: --env-file, --load-credential, --seccomp. The field table
// stores their paths; read_host_files() reads them once, after merging and validate(), so that spec/ stays
// free of I/O, a replaced value is never read, and printing a spec shows the path and no secret.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "dialect/seccomp_json.h"
#include "spec/machine_spec.h"

namespace croft::dialect {

// Fills environment.set, credentials' values and security.seccomp. Errors name the option and the file.
Result<> read_host_files(spec::MachineSpec& spec, const SeccompHost& host);

// Lines of an environment file: NAME=VALUE taken as it is, NAME alone to be passed from the caller. `path` is
// for messages.
Result<> parse_environment_file(std::string_view text, std::string_view path, spec::Environment& into);

}  // namespace croft::dialect
