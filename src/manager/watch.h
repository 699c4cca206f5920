// Waiting for something to happen to a machine: a change in its directory, or the death of whoever keeps it.
// Called within manager/ only.
#pragma once

#include <cstdint>

#include "base/fd.h"

namespace croft::manager {

// While it lives, a machine with --rm that ends stays to be looked at (for a few seconds at most).
class Watch {
  public:
    explicit Watch(int directory);
    // Until something may have changed; false at `end` (monotonic µs, UINT64_MAX: never). The first call returns at once:
    // the kernel is asked to watch only then, because one that does is slow to close (8 to 25 ms).
    bool wait(uint64_t end);
    // For whoever polls by itself: readable when something has changed, until take().
    int fd();
    void take() const;

  private:
    Fd directory_, changes_, lock_;
};

// In the process that is about to remove a machine's directory: lets those who watch it see how it ended.
void wait_for_watchers(int directory);

}  // namespace croft::manager
