// The unit of systemd that this process was started in, and what systemd says to it in its environment. Called by
// unit_launch.cc and unit_end.cc.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace croft::manager {

struct OwnUnit {
    std::string name;        // "croft-web.service"
    std::string cgroup;      // below the mount of cgroup2, without a slash in front: "machine.slice/croft-web.service"
    std::string invocation;  // $INVOCATION_ID
    bool declared() const { return name.starts_with("croft@"); }
};
// wrong_state for a process that is in no unit of croft's.
Result<OwnUnit> own_unit();

// Descriptors that systemd has kept for the unit (sd_listen_fds(3)), CLOEXEC.
std::vector<Fd> kept_descriptors();

}  // namespace croft::manager
