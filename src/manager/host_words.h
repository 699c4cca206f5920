// Words about this host that dialects need: what specifiers of machine files stand for, and what conditions
// of seccomp profiles ask. Dialects ask nothing themselves, so that they can be tested as text.
#pragma once

#include "dialect/seccomp_json.h"
#include "dialect/specifiers.h"

namespace croft::manager {

// What cannot be found out stays empty.
dialect::Specifiers host_specifiers();
// Architecture and kernel; the capabilities are the caller's to fill in.
dialect::SeccompHost host_of_profiles();

}  // namespace croft::manager
