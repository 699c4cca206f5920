#include "oci/foreground.h"

#include <unistd.h>

#include <optional>

namespace croft::oci {

namespace {
Result<launch::Outcome> relay_until_end(run::Launched& launched, const run::SignalTrap& signals) {
    run::RelayOptions relay;
    relay.pid = launched.pid, relay.pidfd = launched.pidfd.get();
    relay.console = launched.console.get();
    relay.detach_keys.clear();  // nobody would be there to take it
    relay.pid1 = false;
    std::optional<run::RawTerminal> raw;
    if (relay.console >= 0 && isatty(0)) raw.emplace(TRY(run::RawTerminal::set(0)));
    return TRY(run::relay(signals, relay)).outcome;
}
}  // namespace

Result<launch::Outcome> stay_with(run::Launched& launched, const run::SignalTrap& signals) {
    auto outcome = relay_until_end(launched, signals);
    if (!outcome) run::undo(launched);
    return outcome;
}

}  // namespace croft::oci
