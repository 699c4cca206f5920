#include "manager/wait_ready.h"

#include "base/text.h"
#include "manager/inspect.h"
#include "manager/leader.h"

namespace croft::manager {
namespace {

// An init that says nothing of itself counts as up when it has not ended by then.
constexpr uint64_t silent_init_time = 300'000;  // µs

}  // namespace

Result<> wait_ready(const Paths& paths, const Watch& watch, const StartOptions& options, Started& out) {
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
        if (!watch.wait(end)) break;
    }
    if (silent) return {};
    return error(Errc::timeout, cat("it was started but is not ready after ", human_duration(timeout),
                                    "; it runs on: `croft logs ", out.name, "` shows what it does"));
}

}  // namespace croft::manager
