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
    // Whether the payload's process is made by one that has entered namespaces nobody comes back from: a user namespace,
    // and all of them, a new time namespace too, for a launcher that is root in a user namespace only, because the
    // host's are not its own.
    bool one_way() const { return users_ || !may_return_; }
    // What that process does, with bare system calls; `scope` is a JoinScope. 0 or -errno.
    static long enter_one_way(const void* scope);
    // The mount namespace, for run/joined_mounts.h: -1 for none.
    Fd take_mounts() { return std::move(mounts_); }
    // Enters those that one can come back from; the end of the scope goes back, also after an error in the middle.
    Result<> enter();

  private:
    long make_time() const;
    struct Joined {
        Fd target, before;
        int type;
        std::string path;
    };
    std::vector<Joined> joined_;
    size_t entered_ = 0;
    Fd users_, mounts_;
    Fd time_before_, proc_;
    std::string offsets_text_;
    bool may_return_ = true, new_time_ = false, time_entered_ = false;
};

}  // namespace croft::run
