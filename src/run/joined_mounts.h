// A machine in a mount namespace that is there already: what the stage has put together is mounted there at
// the place of the machine's root, in the same order as elsewhere, so that its process finds the same things
// (the stage's root, on top of it the machine's). The mounts stay until that namespace ends, for it is not
// ours; only a launch that fails takes them away. Called by launch().
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace croft::run {

class JoinedMounts {
  public:
    JoinedMounts() = default;
    JoinedMounts(const JoinedMounts&) = delete;
    ~JoinedMounts();

    // In the stage, when it is complete and the machine's root is the working directory: enters the namespace
    // (Stage::leave() comes back), mounts, and makes the machine's root the caller's own and the stage's its
    // working directory.
    Result<> enter(Fd name_space, int stage_root, const std::string& place);
    void keep() { kept_ = true; }

  private:
    Fd namespace_, mounted_;
    bool kept_ = false;
};

}  // namespace croft::run
