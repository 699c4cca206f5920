// cgroup v2 directories: making, removing, asking. Called by run/ for a start and by manager/ for what lives.
// Everything is relative to a directory fd, so a group that was replaced meanwhile is never touched by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace croft::kernel {

// What is done about a group of that name that is there already: an empty one is made anew, one without processes (or
// any at all) is taken as it is; the rest is refused.
enum class Existing { replace, without_processes, take };
// Makes PATH below the cgroup2 mount with its missing parents and enables `controllers` in each parent, and `more` where
// that is possible. The directory's fd.
Result<Fd> make_cgroup(const std::string& mount, const std::string& path,
                       const std::vector<std::string>& controllers, const std::vector<std::string>& more = {},
                       Existing existing = Existing::replace);
// Enables controllers for the children of a group; one the kernel does not offer is an error that names it.
Result<> enable_controllers(int group, const std::vector<std::string>& controllers);
// Those of `wanted` that the group may enable (cgroup.controllers).
Result<std::vector<std::string>> offered_controllers(int group, const std::vector<std::string>& wanted);
// Moves the calling process into a group NAME below (made if it is not there): a group that has processes of its own
// cannot enable controllers for those below it ("no internal processes", cgroups(7)).
Result<> step_aside(int group, const std::string& name);
// Gives a group to an owner: the directory and the files that a delegatee needs (cgroups(7), "Delegation").
Result<> delegate_cgroup(int group, uint32_t uid, uint32_t gid);

// SIGKILL to everything in it and below, now and without a race (cgroup.kill, kernel 5.14).
Result<> kill_cgroup(int group);
Result<> freeze_cgroup(int group, bool frozen);
// Removes NAME below `parent` with all groups below it. Processes must be gone or dying; waits up to
// `wait_ms` for the last ones to be reaped. A group that is not there is removed already.
Result<> remove_cgroup(int parent, const std::string& name, int wait_ms = 2000);

// All pids in the group and below.
Result<std::vector<int>> cgroup_pids(int group);
// A file with one number; "max" is UINT64_MAX; nothing when the file is not there.
std::optional<uint64_t> cgroup_number(int group, const char* file);
// One value of a "key value" file: cgroup_value(fd, "cpu.stat", "usage_usec").
std::optional<uint64_t> cgroup_value(int group, const char* file, std::string_view key);

}  // namespace croft::kernel
