// What a machine leaves when it ends, or when its keeper was killed: processes, a cgroup, throwaway files, an
// id range's mark, lock files. Called within manager/ only, by whoever holds the machine's lock.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "manager/paths.h"
#include "manager/record.h"

namespace croft::manager {

// Where systemd-machined, as systemd-nspawn has it, leaves mounts for a machine.
inline constexpr std::string_view propagate_place = "/run/systemd/nspawn/propagate";

// Kills and removes all of it but the machine's own directory. Idempotent. A record is believed only as far
// as it cannot do harm: cgroups below the cgroup mount, trees below our scratch directory, locks below our
// own and nspawn's.
Result<> clear_remains(const Paths& paths, const Record& record);

// Between two lives of one machine: its cgroup goes, its throwaway files stay.
Result<> clear_for_reboot(const Record& record);

// By their names alone, without dots to climb with.
bool is_below(std::string_view path, std::string_view directory);

// Kills everything in a control group and removes it and the groups below.
Result<> remove_cgroup(const std::string& path);

}  // namespace croft::manager
