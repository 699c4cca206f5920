#include "manager/start_unit.h"

#include <unistd.h>

#include <optional>

#include "manager/control.h"
#include "manager/detached.h"
#include "manager/leader.h"
#include "manager/unit_start.h"
#include "manager/wait_ready.h"
#include "manager/watch.h"
#include "run/hold.h"
#include "run/relay.h"

namespace croft::manager {
namespace {

using Kind = launch::Outcome::Kind;

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
    if (watch) TRY(wait_ready(paths, *watch, options, out));
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

}  // namespace

Result<Started> start_as_unit(const Paths& paths, Prepared machine, const spec::MachineSpec& spec,
                              const StartOptions& options) {
    if (options.keep == Keep::detached) return start_unit_detached(paths, std::move(machine), options);
    if (machine.plan.process.terminal && isatty(0) && isatty(1))
        return start_unit_attached(paths, std::move(machine), options);
    bool give_input = spec.process.interactive || machine.plan.process.terminal || !isatty(0);
    return UnitForeground(paths, machine, options).live(give_input);
}

}  // namespace croft::manager
