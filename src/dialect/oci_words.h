// The words of a config.json: what its reader takes is what `croft-oci features` tells, from the same tables.
// (Capabilities and the words of seccomp are in spec/name_tables.h and spec/seccomp_request.h.)
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "spec/machine_spec.h"

namespace croft::dialect {

inline constexpr std::string_view oci_version_min = "1.0.0", oci_version_max = "1.3.0";

inline constexpr std::string_view namespace_types[] = {"cgroup", "ipc",  "mount", "network",
                                                       "pid",    "time", "user",  "uts"};

inline constexpr std::string_view scheduler_policies[] = {
    "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE"};
inline constexpr std::string_view scheduler_flags[] = {
    "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM",     "SCHED_FLAG_DL_OVERRUN",
    "SCHED_FLAG_KEEP_POLICY",   "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN",
    "SCHED_FLAG_UTIL_CLAMP_MAX"};
inline constexpr std::string_view io_priority_classes[] = {"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE",
                                                           "IOPRIO_CLASS_IDLE"};

inline constexpr std::string_view memory_policies[] = {
    "MPOL_DEFAULT",   "MPOL_BIND",           "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
    "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_LOCAL"};
inline constexpr std::string_view memory_policy_flags[] = {"MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES",
                                                           "MPOL_F_STATIC_NODES"};

// Options of mounts that are not the file system's own, sorted: flags, propagation, kind, and what runtimes
// add.
std::span<const std::string_view> oci_mount_options();
std::vector<std::string_view> oci_hook_names();

}  // namespace croft::dialect
