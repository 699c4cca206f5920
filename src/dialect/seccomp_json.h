// Seccomp profiles in JSON: runtime-spec's linux.seccomp, and the form of Docker and podman, which adds
// archMap, includes and excludes (by capability, architecture and kernel version), name beside names, and
// errno names.
//
// What a condition excludes is left out here, so that the profile that comes out is plain runtime-spec.
// Unknown keys and wrong values are refused with their JSON path ("$.syscalls[3].action"): a misspelt rule
// must not silently mean another filter. Whether a system call exists is not asked here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "spec/machine_spec.h"

namespace croft::dialect {

// What conditions are about.
struct SeccompHost {
    std::string architecture = "x86_64";  // uname -m
    int kernel_major = 6, kernel_minor = 1;
    uint64_t capabilities = 0;  // that the payload may hold, as a set
};

Result<spec::SeccompProfile> parse_seccomp_json(std::string_view text, const SeccompHost& host);

}  // namespace croft::dialect
