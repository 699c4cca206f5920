// Starting a machine as a unit of systemd: the side of the command (unit_launch.h has the other one). Called by start.cc.
#pragma once

#include "base/result.h"
#include "manager/prepare.h"
#include "manager/start.h"
#include "manager/supervisor.h"

namespace croft::manager {

// Has systemd start a transient unit with the machine's plan, hands it the locks, and waits until the payload has been
// executed. An error is the launcher's own, or systemd's about the unit. `streams`: the payload gets this process's own.
struct UnitStart {
    int leader = 0;
    Fd connection;  // as from connect_attach(), when the machine has a terminal and `attach` is wanted
};
enum class Streams { journal, inherited };
inline constexpr uint64_t start_patience = 90'000'000;  // µs for systemd to begin with a unit whose turn has come
Result<UnitStart> start_unit(Prepared& machine, Streams streams, bool attach, Pin pin = Pin::no,
                             uint64_t patience = start_patience);

// A unit that has just ended is forgotten by systemd a moment later; until then its name is taken. A systemd that is executed
// anew (systemctl daemon-reexec) answers nothing that was asked just before; then the unit is there or it is not.
Result<Job> start_when_free(Supervisor& systemd, const launch::UnitPlan& unit, Pin pin);

}  // namespace croft::manager
