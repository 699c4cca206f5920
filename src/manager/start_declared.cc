// Starting a machine that a file declares.
#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/text.h"
#include "manager/config_changed.h"
#include "manager/declared.h"
#include "manager/leader.h"
#include "manager/start.h"
#include "manager/states.h"
#include "manager/supervisor.h"

namespace croft::manager {
namespace {

bool is_up(const Machine& machine, const StartOptions& options) {
    if (!machine.alive() || !machine.record.leader.pid) return false;
    return !options.wait_ready || !machine.record.waits_ready || machine.ready;
}

Error not_started(const std::string& unit) {
    return error(Errc::failed,
                 cat("systemd could not start ", unit, "; `journalctl -u ", unit, " -n 20` says why"));
}

// The job's end wakes us. Who does not want to wait for it looks now and then whether the launcher is done.
int patience(const StartOptions& options, uint64_t until) {
    if (!options.wait_ready) return 50;
    uint64_t now = monotonic_now();
    if (until == UINT64_MAX) return -1;
    return until > now ? static_cast<int>(std::min<uint64_t>((until - now) / 1000 + 1, 1 << 30)) : 0;
}

// systemd's job for a booted machine ends when that says READY=1; a machine that is up sooner is told at
// once.
Result<> wait_started(const Paths& paths, const std::string& name, Job job, const StartOptions& options,
                      Started& out) {
    Supervisor& systemd = *supervisor();
    std::string unit = cat("croft@", name, ".service");
    uint64_t timeout = options.ready_timeout;
    uint64_t until = timeout == UINT64_MAX ? UINT64_MAX : monotonic_now() + timeout;
    for (;;) {
        JobEnd end = TRY(systemd.job_end(job));
        if (end == JobEnd::failed) return not_started(unit);
        auto machine = find(paths, name);
        if (machine) out.leader = machine->record.leader.pid, out.outcome = machine->outcome;
        if (machine && is_up(*machine, options)) return {};
        if (end == JobEnd::done) return {};  // it has ended already, or needs no longer to be ready
        if (monotonic_now() > until)
            return error(Errc::timeout, cat("it was started but is not ready after ", human_duration(timeout),
                                            "; it runs on: `croft logs ", name, "` shows what it does"));
        pollfd watched = {systemd.fd(), POLLIN, 0};
        if (poll(&watched, 1, patience(options, until)) < 0 && errno != EINTR)
            return os_error(errno, "waiting for systemd");
    }
}

Result<Started> start_unit_of(const Paths& paths, const std::string& name, const StartOptions& options) {
    Started out;
    out.name = name;
    std::string unit = cat("croft@", name, ".service");
    Supervisor& systemd = *supervisor();
    systemd.forget(unit);
    Job job = TRY(systemd.start(unit));
    TRY(wait_started(paths, name, job, options, out));
    auto machine = find(paths, name);
    out.outcome = machine && !machine->alive() ? machine->outcome : launch::Outcome{};
    bool up = machine && machine->alive();
    if (up && machine->ready && options.on_ready) options.on_ready(name);
    return out;
}

}  // namespace

Result<Started> start_declared(const Paths& paths, const std::string& name, const StartOptions& options) {
    Machine machine = TRY(find_any(paths, name));
    if (machine.state == State::ready && options.ready_only)
        return error(Errc::wrong_state, cat("machine ", quoted(name), " is ready already"));
    TRY(check_state(machine, "start"));
    if (machine.state == State::ready) return go_on(paths, machine, options);
    // A mistake is told here and now, and not only in the journal.
    LoadedMachine loaded = TRY(load_declared(paths, name));
    for (const spec::Warning& warning : loaded.warnings) warn(warning.text);
    bool by_unit = supervisor() && machines_are_units(paths) && !options.ready_only;
    if (by_unit && !unit_is_current(name, loaded.files)) TRY(supervisor()->reload());
    // Where croft's generator is not installed, a transient unit does as well.
    if (by_unit && unit_is_generated(name))
        return start_unit_of(paths, name, options).within(cat("starting machine ", quoted(name)));
    return start(paths, std::move(loaded.spec), options);
}

}  // namespace croft::manager
