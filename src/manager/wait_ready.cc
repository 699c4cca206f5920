#include "manager/wait_ready.h"

#include <poll.h>

#include <algorithm>

#include "base/text.h"
#include "manager/inspect.h"
#include "manager/leader.h"

namespace croft::manager {
namespace {

// An init that says nothing of itself counts as up when it has not ended by then.
constexpr uint64_t silent_init_time = 300'000;  // µs

bool wait_change(Watch& watch, Fd& told, uint64_t end) {
    if (!told) return watch.wait(end);
    uint64_t now = monotonic_now();
    int wait = -1;
    if (end != UINT64_MAX)
        wait = now >= end ? 0 : static_cast<int>(std::min<uint64_t>((end - now) / 1000 + 1, 1 << 30));
    pollfd watched = {told.get(), POLLIN, 0};
    if (poll(&watched, 1, wait) > 0) told.reset();
    return !told || monotonic_now() < end;
}

}  // namespace

Result<> wait_ready(const Paths& paths, Watch& watch, Fd told, const StartOptions& options, Started& out) {
    bool silent = false;
    uint64_t timeout = options.ready_timeout;
    uint64_t end = timeout == UINT64_MAX ? UINT64_MAX : monotonic_now() + timeout;
    for (;;) {
        auto machine = find(paths, out.name);
        if (machine && machine->alive() && !machine->record.waits_ready && !silent) {
            silent = true;
            end = monotonic_now() + silent_init_time;
        }
        if (machine && machine->alive() && machine->ready) {
            if (options.on_ready) options.on_ready(out.name);
            return {};
        }
        if (!machine || !machine->alive()) {
            out.outcome =
                machine ? machine->outcome : launch::Outcome{launch::Outcome::Kind::exited, 1, "and nothing of it is left"};
            out.last_output = join(last_lines(paths, out.name, 20), "\n");
            return {};
        }
        if (!wait_change(watch, told, end)) break;
    }
    if (silent) return {};
    return error(Errc::timeout, cat("it was started but is not ready after ", human_duration(timeout),
                                    "; it runs on: `croft logs ", out.name, "` shows what it does"));
}

}  // namespace croft::manager
