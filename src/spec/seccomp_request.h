// The canonical text of a system call filter: what a filter shall decide, as a few lines that are compared
// byte for byte. Two machines with the same text share one kept filter (run/seccomp_cache.h), so the text is
// as small as its decisions: capabilities that change nothing are left out, lists are sorted, defaults are
// written out.
//
// The planner calls one of the two functions and puts the text into launch::Process.seccomp; croft-seccomp
// reads it. Pure: no libseccomp here, so whether a *name* exists is checked by croft-seccomp, at the first
// start that uses it. Group names, address families, actions, operators, architectures and flags are checked
// here.
//
//   croft-seccomp 1             croft-seccomp 1
//   default                     profile
//   caps 400000                 default SCMP_ACT_ERRNO 1            (errno in effect; - where the action has
//   none) allow @mount                arch SCMP_ARCH_X86_64               (sorted; the native one is always
//   meant) deny kexec_load             flag SECCOMP_FILTER_FLAG_LOG        (sorted) families allow 1 2 10
//   rule SCMP_ACT_ALLOW - read write    (in the profile's order, which matters) suppress-sync if 0
//   SCMP_CMP_MASKED_EQ 2080505856 0    (conditions of the rule above: all must hold)
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "spec/machine_spec.h"

namespace croft::spec {

// The house's own allow list. `capabilities` is what the payload may hold: some calls are allowed only to who
// has the capability that the kernel asks for anyway. Uses the syscalls_*, address_families* and
// suppress_sync fields only.
Result<std::string> default_request(uint64_t capabilities, const Security& security);

// A runtime-spec profile. Also refuses what runtimes refuse: NOTIFY without a listener path, an errno for an
// action that has none, a rule without names, an argument index above 5.
Result<std::string> profile_request(const SeccompProfile& profile);

// The words of a profile: SCMP_ACT_…, SCMP_CMP_…, SCMP_ARCH_…, SECCOMP_FILTER_FLAG_….
std::span<const std::string_view> seccomp_actions(), seccomp_operators(), seccomp_architectures(), seccomp_flags();

}  // namespace croft::spec
