// Requests into policies: names become numbers, lists become verdicts, for every architecture that is meant.
#pragma once

#include "base/result.h"
#include "seccomp/policy.h"
#include "seccomp/request.h"

namespace croft::seccomp {

// The native architecture and those it runs in compatibility. An unknown name in the request is an error.
Result<Policy> resolve(const DefaultRequest& request);

// Rules as runc and crun pass them to libseccomp: names that this libseccomp or architecture does not know
// are left out, rules that say what the default says too; a rule without conditions beats those with, and
// among equals the first wins. As runc does, numbers above all that the profile names fail with ENOSYS under
// a default that refuses.
Policy resolve(const ProfileRequest& request);

}  // namespace croft::seccomp
