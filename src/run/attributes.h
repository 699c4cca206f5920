// Attributes of a process that are set from outside, with the host's privileges: raising a limit or lowering
// the OOM score is denied to a process in a user namespace of its own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

bool has_attributes(const launch::Process& process);
Result<> set_attributes(pid_t pid, const launch::Process& process);

// CPUs that this process and what it makes run on for a while.
class CpuScope {
  public:
    CpuScope() = default;
    CpuScope(const CpuScope&) = delete;
    ~CpuScope();
    Result<> set(const std::vector<uint32_t>& cpus);

  private:
    std::vector<unsigned long> before_;
};

// The OOM score is inherited instead: the launcher takes it on and gives it back at the end of this object's
// life. The kernel changes it for all who share memory with a process, and until exec the payload's shares
// the launcher's.
class OomScore {
  public:
    OomScore() = default;
    OomScore(const OomScore&) = delete;
    OomScore& operator=(const OomScore&) = delete;
    ~OomScore();
    Result<> set(int score);

  private:
    std::string before_;
};

}  // namespace croft::run
