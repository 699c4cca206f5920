// Being in other namespaces than one's own for a while: those a plan joins, and the time namespace of
// children. The mount namespace is stage.h's matter.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

class JoinScope {
  public:
    JoinScope() = default;
    JoinScope(const JoinScope&) = delete;
    ~JoinScope();

    // Opens what is needed while the host's paths are there.
    Result<> open(const launch::LaunchPlan& plan);
    // The user namespace of the plan, which is for the payload's process alone: nobody comes back from one.
    int users() const { return users_.get(); }
    // The mount namespace, for run/joined_mounts.h: -1 for none.
    Fd take_mounts() { return std::move(mounts_); }
    // Enters all others; the end of the scope goes back, also after an error in the middle.
    Result<> enter();

  private:
    struct Joined {
        Fd target, before;
        int type;
        std::string path;
    };
    std::vector<Joined> joined_;
    size_t entered_ = 0;
    Fd users_, mounts_;
    Fd time_before_, offsets_;
    std::string offsets_text_;
    bool new_time_ = false, time_entered_ = false;
};

}  // namespace croft::run
