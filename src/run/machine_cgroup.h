// The control group that a launch makes, or finds in the launcher's own unit. Called by launch().
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

// Writes one limit into a group's directory. Where the kernel counts no swap, memory.swap.max is not there: no limit of swap
// then needs no file, and neither does "no swap" on a host without any. Everything else that cannot be written is an error.
Result<> write_setting(int group, const launch::CgroupSetting& setting);

struct MachineCgroup {
    Fd group, parent;  // the machine's own directory; in a unit, the payload's below it
    std::string name;  // of `group` below `parent`
    Fd payload;        // where the payload starts, if that is another one
    int start() const { return payload ? payload.get() : group.get(); }
};

// `out` holds what was made also when it fails half-way.
Result<> make_machine_cgroup(const launch::Cgroup& wanted, const std::string& cgroup_root,
                             MachineCgroup& out);

}  // namespace croft::run
