// Scopes of systemd: units for processes that somebody else makes. Called by oci/ for --systemd-cgroup.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "launch/unit_plan.h"

namespace croft::manager {

// A transient scope with a process of ours in it that only keeps it: systemd ends a scope when its last process is gone.
// Whoever has cloned another process into its group lets the keeper go.
class ScopeKeeper {
  public:
    ScopeKeeper() = default;
    ScopeKeeper(ScopeKeeper&& other) noexcept;
    ScopeKeeper& operator=(ScopeKeeper&& other) noexcept;
    ~ScopeKeeper() { let_go(); }
    void let_go();
    // Below the cgroup2 mount, without a slash in front.
    const std::string& group() const { return group_; }

  private:
    friend Result<ScopeKeeper> start_scope(launch::UnitPlan unit);
    pid_t pid_ = -1;
    std::string group_;
};

// Returns when systemd has made it. Needs supervisor().
Result<ScopeKeeper> start_scope(launch::UnitPlan unit);

}  // namespace croft::manager
