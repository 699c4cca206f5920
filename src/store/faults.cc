#include "store/faults.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>

namespace croft::store {

void step() {
    const char* at = getenv("CROFT_STORE_KILL_AT");
    if (!at) return;
    // Each process counts its own, its threads together.
    static std::atomic<pid_t> counting = 0;
    static std::atomic<long> count = 0;
    if (counting.exchange(getpid()) != getpid()) count = 0;
    if (++count == atol(at)) kill(getpid(), SIGKILL);
}

}  // namespace croft::store
