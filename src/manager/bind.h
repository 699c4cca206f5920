// Binding a host path into a running machine, and taking it out again. Called by cli/.
//
// The mount is cloned detached among the host's mounts (idmapped to the machine's ids, as at start), then a
// child joins the machine's mount namespace and attaches it at a target that is walked with RESOLVE_IN_ROOT
// from the leader's root by its fd, so no symlink of the guest can lead it elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "manager/machines.h"

namespace croft::manager {

struct BindOptions {
    std::string source, target;  // host path; path inside
    bool read_only = false;
    bool make_target = false;  // make the mount point when it is not there
    bool idmap = true;
};
Result<> bind(const Paths& paths, std::string_view name, const BindOptions& options);
Result<> unbind(const Paths& paths, std::string_view name, const std::string& target);

}  // namespace croft::manager
