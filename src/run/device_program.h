// Device policy of a cgroup: which device nodes may be opened or made, decided by a small BPF program that
// the kernel runs at each open and mknod of a node, whatever file system the node is on. Called by the
// launcher with the machine's cgroup, before the payload is cloned into it.
//
// One program per policy is kept in a BPF file system, under a path that *is* the policy's text, so what is
// found there cannot be another policy; a start then costs two system calls instead of a verifier run (some
// 200 µs).
#pragma once

#include <linux/bpf.h>

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

// Attaches the policy to a cgroup2 directory, beside those of its ancestors (all of them must agree). Rules
// are looked at from the last to the first; the first that fits decides; what no rule fits is refused. An
// allow rule fits when it covers the whole access, a deny rule when it touches any of it.
Result<> attach_device_policy(int cgroup_fd, std::span<const launch::DeviceAccess> rules);

// The pieces, for tests.
Result<std::vector<bpf_insn>> device_program(std::span<const launch::DeviceAccess> rules);
std::string device_policy_text(std::span<const launch::DeviceAccess> rules);

}  // namespace croft::run
