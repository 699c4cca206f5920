#include "manager/start.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/log.h"
#include "base/text.h"
#include "manager/detached.h"
#include "manager/events.h"
#include "manager/exec.h"
#include "manager/leader.h"
#include "manager/prepare.h"
#include "manager/ready.h"
#include "manager/remains.h"
#include "manager/rootless.h"
#include "manager/supervisor.h"
#include "manager/start_unit.h"
#include "manager/wait_ready.h"
#include "manager/watch.h"
#include "run/relay.h"

namespace croft::manager {
namespace {

using Kind = launch::Outcome::Kind;

Result<> record_launched(Prepared& machine, pid_t leader) {
    machine.record.leader = {leader, process_start(leader).value_or(0)};
    machine.record.started = realtime_now();
    TRY(machine.claim.write(machine.record));
    tell_event(machine.paths, {.machine = machine.record.name, .event = Event::started, .leader = leader});
    return {};
}

// One life of a machine whose parent is this process: from launch to its end (which may ask for another
// life).
Result<launch::Outcome> live_once(Prepared& machine, const StartOptions& options,
                                  const run::SignalTrap& signals, bool give_input, int& leader) {
    run::LaunchEnvironment environment = TRY(machine.environment());
    if (!give_input) environment.stdio[0] = -1;
    run::Launched launched = TRY(run::launch(machine.plan, environment));
    leader = launched.pid;
    if (Result<> written = record_launched(machine, launched.pid); !written) {
        run::undo(launched);
        return std::move(written).error();
    }
    run::RelayOptions relay;
    relay.pid = launched.pid, relay.pidfd = launched.pidfd.get();
    relay.console = launched.console.get(), relay.notify = launched.notify.get();
    if (!give_input) relay.input = -1;
    relay.detach_keys.clear();  // there is no keeper to leave it with
    relay.pid1 = machine.plan.boot;
    relay.ready = [&] {
        (void)replace_file_at(machine.claim.directory(), "ready", "1\n");
        tell_event(machine.paths, {.machine = machine.record.name, .event = Event::ready});
        if (options.on_ready) options.on_ready(machine.record.name);
    };
    auto end = run::relay(signals, relay);
    if (!end) {
        run::undo(launched);
        return std::move(end).error();
    }
    if (auto stop = read_file_at(machine.claim.directory(), "stop", 64)) apply_stop(end->outcome, *stop);
    return std::move(end->outcome);
}

Result<Started> start_in_foreground(Prepared machine, const spec::MachineSpec& spec,
                                    const StartOptions& options) {
    Started out;
    out.name = machine.record.name;
    // A terminal that is not asked for is not handed in either: its input stays the caller's.
    bool give_input = spec.process.interactive || machine.plan.process.terminal || !isatty(0);
    // Nobody would be there to wait for it, to relay its streams or to clear up.
    machine.plan.process.parent_death_signal = SIGKILL;
    run::SignalTrap signals = TRY(run::SignalTrap::set());
    for (;;) {
        out.outcome = TRY(live_once(machine, options, signals, give_input, out.leader));
        bool again = out.outcome.kind == Kind::rebooted;
        tell_event(machine.paths, {.machine = out.name,
                                   .event = again ? Event::rebooted : Event::exited,
                                   .detail = again ? "" : launch::describe(out.outcome)});
        if (!again) return out;
        TRY(clear_for_reboot(machine.record));
        unlinkat(machine.claim.directory(), "ready", 0);
        ++machine.record.restarts;
    }
}

Result<Started> start_with_keeper(const Paths& paths, Prepared machine, const StartOptions& options) {
    Started out;
    out.name = machine.record.name;
    out.outcome.kind = Kind::running;
    bool boot = machine.plan.boot;
    // Set up before the launch, so that an end right after it is not missed.
    std::optional<Watch> watch;
    if (options.keep == Keep::detached && boot && options.wait_ready)
        watch.emplace(machine.claim.directory());
    bool attached = options.keep == Keep::foreground;
    KeptStart started = TRY(start_detached(machine, attached ? Attach::yes : Attach::no));
    out.leader = started.leader;
    machine.keep();
    if (!attached) {
        if (watch) TRY(wait_ready(paths, *watch, options, out));
        return out;
    }
    AttachOptions attach = {.detach_keys = options.detach_keys,
                            .boot = boot,
                            .directory = machine.claim.directory(),
                            .ready = {},
                            .ended = {}};
    if (options.on_ready && machine.record.waits_ready) attach.ready = [&] { options.on_ready(out.name); };
    out.outcome = TRY(attach_console(std::move(started.connection), attach));
    // The keeper clears what the machine left; the same name is free again when this command ends.
    if (out.outcome.kind != Kind::running) waitpid(started.keeper, nullptr, 0);
    return out;
}

}  // namespace

Result<Started> go_on(const Paths& paths, const Machine& machine, const StartOptions& options) {
    Started out;
    out.name = machine.name;
    out.outcome.kind = Kind::running;
    Fd directory =
        TRY(open_at(AT_FDCWD, cat(paths.machines, "/", machine.name).c_str(), O_RDONLY | O_DIRECTORY));
    std::optional<Watch> watch;
    if (machine.record.boot && options.wait_ready) watch.emplace(directory.get());
    out.leader = TRY(launch_ready(directory.get()).within(cat("starting machine ", quoted(machine.name))));
    if (watch) TRY(wait_ready(paths, *watch, options, out));
    return out;
}

Result<Started> start(const Paths& paths, spec::MachineSpec spec, const StartOptions& wanted) {
    if (!paths.system && geteuid() != 0) TRY(become_fake_root());
    StartOptions options = wanted;
    options.as_unit = supervisor() && machines_are_units(paths);
    auto prepared = prepare(paths, spec, options);
    if (!prepared) {
        std::string what = spec.name.empty() ? "" : cat("starting machine ", quoted(spec.name));
        return what.empty() ? std::move(prepared).error() : std::move(prepared).error().within(what);
    }
    std::string phrase = cat("starting machine ", quoted(spec.name));
    if (options.ready_only) {
        TRY(hold_ready(std::move(*prepared)).within(phrase));
        tell_event(paths, {.machine = spec.name, .event = Event::prepared});
        return Started{.name = spec.name};
    }
    if (options.as_unit) return start_as_unit(paths, std::move(*prepared), spec, options).within(phrase);
    // With a terminal, a keeper has it: so the user can leave the machine running and come back.
    bool keeper =
        options.keep == Keep::detached || (prepared->plan.process.terminal && isatty(0) && isatty(1));
    if (keeper) return start_with_keeper(paths, std::move(*prepared), options).within(phrase);
    return start_in_foreground(std::move(*prepared), spec, options).within(phrase);
}

}  // namespace croft::manager
