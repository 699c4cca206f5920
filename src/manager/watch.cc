#include "manager/watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "manager/leader.h"
#include "base/lock_file.h"

namespace croft::manager {

Watch::Watch(int directory) {
    if (auto lock = try_lock(directory, "watch", LockKind::shared); lock && *lock) lock_ = std::move(**lock);
    directory_ = Fd(fcntl(directory, F_DUPFD_CLOEXEC, 3));
}

int Watch::fd() {
    if (!directory_) return changes_.get();
    changes_ = Fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (changes_)
        inotify_add_watch(changes_.get(), cat("/proc/self/fd/", directory_.get()).c_str(),
                          IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF);
    directory_.reset();
    return changes_.get();
}

bool Watch::wait(uint64_t end) {
    uint64_t now = monotonic_now();
    if (now >= end) return false;
    if (directory_) return fd(), true;
    // Nothing in the directory tells that a keeper was killed, so it is looked at once a second in any case.
    uint64_t step = changes_ ? 1'000'000 : 20'000;
    pollfd watched = {changes_.get(), POLLIN, 0};
    poll(&watched, 1, static_cast<int>(std::min(step, end - now) / 1000 + 1));
    take();
    return true;
}

void Watch::take() const {
    char events[4096];
    while (changes_ && read(changes_.get(), events, sizeof events) > 0) {
    }
}

void wait_for_watchers(int directory) {
    Fd watch(openat(directory, "watch", O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    for (int tries = 0; watch && tries < 500 && !lock_fd(watch.get(), LockKind::exclusive); ++tries) {
        timespec pause = {0, 10'000'000};
        nanosleep(&pause, nullptr);
    }
}

}  // namespace croft::manager
