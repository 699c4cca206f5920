// Starting a machine: claim → id range and tree lock → facts → plan → launch → (wait). Called by the verbs
// run, boot, _relaunch; preview() by `croft plan`.
//
// Never half: each thing taken has an owner that gives it back (Claim, IdRange, TreeLock, the plan's
// cleanup), and what outlives a SIGKILL is found by name from the record.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "launch/launch_plan.h"
#include "launch/outcome.h"
#include "launch/unit_plan.h"
#include "manager/machines.h"
#include "manager/paths.h"
#include "manager/watch.h"
#include "spec/machine_spec.h"

namespace croft::manager {

enum class Keep { foreground, detached };

struct StartOptions {
    Keep keep = Keep::foreground;
    std::string detach_keys;  // of an attached terminal; empty: the default
    uint64_t ready_timeout =
        90'000'000;          // µs that a boot may take to READY=1 when waiting; UINT64_MAX: for ever
    bool wait_ready = true;  // detached boot: return when ready
    bool as_unit = false;    // the machine will be a unit of systemd
    std::string unit;        // which one; empty: a transient one of its own, croft-NAME.service
    bool ready_only = false;  // detached: take all that is needed, launch nothing (state "ready")
    // Fault walk (hidden): the launch point that fails, or after which the launcher kills itself
    // (run/launch.h).
    int fail_step = -1, kill_step = -1;
    // Called once, when the machine is up: "ready", for a foreground boot to say so.
    std::function<void(std::string_view)> on_ready;
};

// How it went. `outcome.kind` is running after a detached start (or after the user detached from the
// terminal).
struct Started {
    std::string name;
    int leader = 0;
    launch::Outcome outcome;
    std::vector<std::string> warnings;  // of the planner, already logged when the start went well
    std::string last_output;            // of a detached machine that ended before it was ready
};

// The spec is complete and validated; an empty name is chosen here (from the tree for a boot, random for an
// app).
Result<Started> start(const Paths& paths, spec::MachineSpec spec, const StartOptions& options);

// A machine that is ready goes on: its keeper launches it, by the plan that was made then.
Result<Started> go_on(const Paths& paths, const Machine& machine, const StartOptions& options);
// `croft start NAME`, of a machine that a file declares: in direct mode by start(), where machines are units
// by its unit croft@NAME.service. (start_declared.cc)
Result<Started> start_declared(const Paths& paths, const std::string& name, const StartOptions& options);

// What start() would do, without privilege and without touching anything.
struct Preview {
    launch::LaunchPlan launch;
    launch::UnitPlan unit;
    std::vector<std::string> warnings;
};
Result<Preview> preview(const Paths& paths, spec::MachineSpec spec);

// The hidden verbs that croft-hold executes. relaunch(): PID 1 asked for a reboot; same plan, same name, same
// locks (kept open across exec). cleanup(): the machine has ended; what hold itself cannot remove.
Result<> relaunch(const Paths& paths, const std::string& name);
Result<> cleanup(const Paths& paths, const std::string& name);

}  // namespace croft::manager
