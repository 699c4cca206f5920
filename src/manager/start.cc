#include "manager/start.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/log.h"
#include "base/text.h"
#include "manager/control.h"
#include "manager/detached.h"
#include "manager/exec.h"
#include "manager/inspect.h"
#include "manager/leader.h"
#include "manager/prepare.h"
#include "manager/remains.h"
#include "manager/rootless.h"
#include "manager/supervisor.h"
#include "manager/unit_start.h"
#include "manager/watch.h"
#include "run/hold.h"
#include "run/relay.h"

namespace croft::manager {
namespace {

using Kind = launch::Outcome::Kind;

Result<> record_launched(Prepared& machine, pid_t leader) {
    machine.record.leader = {leader, process_start(leader).value_or(0)};
    machine.record.started = realtime_now();
    return machine.claim.write(machine.record);
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
        if (out.outcome.kind != Kind::rebooted) return out;
        TRY(clear_for_reboot(machine.record));
        unlinkat(machine.claim.directory(), "ready", 0);
        ++machine.record.restarts;
    }
}

// An init that says nothing of itself counts as up when it has not ended by then.
constexpr uint64_t silent_init_time = 300'000;  // µs

// `told` ends when there is something to look at; after that, and without it, the directory is watched.
bool wait_change(Watch& watch, Fd& told, uint64_t end) {
    if (!told) return watch.wait(end);
    uint64_t now = monotonic_now();
    int wait = end == UINT64_MAX ? -1 : now >= end ? 0 : static_cast<int>(std::min<uint64_t>((end - now) / 1000 + 1, 1 << 30));
    pollfd watched = {told.get(), POLLIN, 0};
    if (poll(&watched, 1, wait) > 0) told.reset();
    return !told || monotonic_now() < end;
}

// Until READY=1, or the machine's end.
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
                machine ? machine->outcome : launch::Outcome{Kind::exited, 1, "and nothing of it is left"};
            out.last_output = join(last_lines(paths, out.name, 20), "\n");
            return {};
        }
        if (!wait_change(watch, told, end)) break;
    }
    if (silent) return {};
    return error(Errc::timeout, cat("it was started but is not ready after ", human_duration(timeout),
                                    "; it runs on: `croft logs ", out.name, "` shows what it does"));
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
        if (watch) TRY(wait_ready(paths, *watch, std::move(started.ready), options, out));
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

// ---------------------------------------------------------------- as a unit of systemd

// The machine's later life as its command sees it: the leader changes when it reboots, the console with it.
class UnitForeground {
  public:
    UnitForeground(const Paths& paths, Prepared& machine, const StartOptions& options)
        : paths_(paths), machine_(machine), options_(options), watch_(machine.claim.directory()) {}
    // From the start to the end of the last life.
    Result<Started> live(bool give_input);

  private:
    Result<> relay_once(const run::SignalTrap& signals, bool give_input);
    // False when it has ended.
    Result<bool> wait_next();
    void look_ready();

    const Paths& paths_;
    Prepared& machine_;
    const StartOptions& options_;
    Watch watch_;
    Started out_;
    ProcessId leader_;
    Fd connection_;
    bool told_ready_ = false;
};

void UnitForeground::look_ready() {
    watch_.take();
    if (told_ready_ || !options_.on_ready || !exists_at(machine_.claim.directory(), "ready")) return;
    told_ready_ = true;
    options_.on_ready(out_.name);
}

Result<> UnitForeground::relay_once(const run::SignalTrap& signals, bool give_input) {
    run::RelayOptions relay;
    auto pidfd = open_process(leader_);
    if (!pidfd) return {};  // it has ended already
    relay.pid = leader_.pid, relay.pidfd = pidfd->get(), relay.child = false;
    Fd console;
    if (connection_) console = TRY(run::receive_console(connection_.get()));
    relay.console = console.get();
    if (!give_input) relay.input = -1;
    relay.detach_keys.clear();
    relay.changes = watch_.fd(), relay.changed = [this] { look_ready(); };
    TRY(run::relay(signals, relay));
    return {};
}

Result<bool> UnitForeground::wait_next() {
    for (;;) {
        auto machine = find(paths_, out_.name);
        if (!machine) return std::move(machine).error();
        if (!machine->alive()) {
            out_.outcome = machine->outcome;
            return false;
        }
        if (machine->record.leader.pid && machine->record.leader != leader_) {
            leader_ = machine->record.leader;
            if (connection_) connection_ = TRY(run::connect_attach(machine_.claim.directory()));
            return true;
        }
        watch_.wait(UINT64_MAX);
    }
}

Result<Started> UnitForeground::live(bool give_input) {
    out_.name = machine_.record.name;
    run::SignalTrap signals = TRY(run::SignalTrap::set());
    bool console = machine_.plan.process.terminal;
    UnitStart started = TRY(start_unit(machine_, console ? Streams::journal : Streams::inherited, console));
    machine_.keep();
    connection_ = std::move(started.connection);
    out_.leader = started.leader;
    leader_ = machine_.record.leader;
    do TRY(relay_once(signals, give_input));
    while (TRY(wait_next()));
    return std::move(out_);
}

Result<Started> start_unit_detached(const Paths& paths, Prepared machine, const StartOptions& options) {
    Started out;
    out.name = machine.record.name;
    out.outcome.kind = Kind::running;
    std::optional<Watch> watch;
    if (machine.plan.boot && options.wait_ready) watch.emplace(machine.claim.directory());
    out.leader = TRY(start_unit(machine, Streams::journal, false)).leader;
    machine.keep();
    if (watch) TRY(wait_ready(paths, *watch, Fd(), options, out));
    return out;
}

// With a terminal, as with a keeper: the user can leave the machine running and come back.
Result<Started> start_unit_attached(const Paths& paths, Prepared machine, const StartOptions& options) {
    Started out;
    out.name = machine.record.name;
    Watch watch(machine.claim.directory());  // keeps what is known of its end until it has been read
    UnitStart started = TRY(start_unit(machine, Streams::journal, true));
    machine.keep();
    out.leader = started.leader;
    AttachOptions attach = {.detach_keys = options.detach_keys,
                            .boot = machine.plan.boot,
                            .directory = machine.claim.directory(),
                            .ready = {},
                            .ended = [&] { return wait(paths, out.name); }};
    if (options.on_ready && machine.record.waits_ready) attach.ready = [&] { options.on_ready(out.name); };
    out.outcome = TRY(attach_console(std::move(started.connection), attach));
    return out;
}

Result<Started> start_as_unit(const Paths& paths, Prepared machine, const spec::MachineSpec& spec,
                              const StartOptions& options) {
    if (options.keep == Keep::detached) return start_unit_detached(paths, std::move(machine), options);
    if (machine.plan.process.terminal && isatty(0) && isatty(1))
        return start_unit_attached(paths, std::move(machine), options);
    bool give_input = spec.process.interactive || machine.plan.process.terminal || !isatty(0);
    return UnitForeground(paths, machine, options).live(give_input);
}

}  // namespace

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
    if (options.as_unit) return start_as_unit(paths, std::move(*prepared), spec, options).within(phrase);
    // With a terminal, a keeper has it: so the user can leave the machine running and come back.
    bool keeper =
        options.keep == Keep::detached || (prepared->plan.process.terminal && isatty(0) && isatty(1));
    if (keeper) return start_with_keeper(paths, std::move(*prepared), options).within(phrase);
    return start_in_foreground(std::move(*prepared), spec, options).within(phrase);
}

}  // namespace croft::manager
