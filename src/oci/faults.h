// The hidden flags --fail-step=N and --kill-step=N of create, run and exec: the point at which a launch fails, or after
// which croft-oci kills itself (run/launch.h), for the tests that walk all faults.
#pragma once

#include "oci/arguments.h"
#include "run/launch.h"

namespace croft::oci {

// Errors: a value that is no whole number from 0.
Result<> set_faults(const Flags& flags, run::LaunchEnvironment& environment);

}  // namespace croft::oci
