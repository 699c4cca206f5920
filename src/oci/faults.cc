#include "oci/faults.h"

#include "base/text.h"

namespace croft::oci {

namespace {
Result<> set_point(const Flags& flags, const char* flag, uint32_t& point) {
    auto number = TRY(flags.number(flag));
    if (!number) return {};
    if (*number < 0 || *number >= run::LaunchEnvironment::never)
        return error(Errc::usage, cat(flag, ": ", *number, " is no number of a step"));
    point = static_cast<uint32_t>(*number);
    return {};
}
}  // namespace

Result<> set_faults(const Flags& flags, run::LaunchEnvironment& environment) {
    TRY(set_point(flags, "--fail-step", environment.fail_at));
    return set_point(flags, "--kill-step", environment.kill_at);
}

}  // namespace croft::oci
