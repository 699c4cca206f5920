// The service manager of this host, as far as croft uses it: what start.cc, stop.cc and control.cc ask of it. It is
// implemented by systemd/ (over D-Bus, with libsystemd) and put here by the program that links it; the static croft has
// none and runs machines in direct mode, or leaves its place to the program that has one (cli/command_line.cc).
#pragma once

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "launch/unit_plan.h"
#include "manager/paths.h"

namespace croft::manager {

// A job of the service manager: starting or stopping one unit takes its time.
using Job = uint32_t;
enum class JobEnd { running, done, failed };
// How a unit's main process ended: si_code and si_status of waitid(2).
struct UnitExit {
    int code = 0, status = 0;
};
// pinned: systemd keeps the unit, with the status of its end, for as long as this process is connected.
enum class Pin { no, yes };

// The service manager was executed anew (systemctl daemon-reexec) before it answered: what was asked may be done or not.
inline bool was_interrupted(const Error& error) {
    return error.code == Errc::timeout && error.err == EAGAIN;
}

class Supervisor {
  public:
    virtual ~Supervisor() = default;
    // Starts a transient unit. An error is systemd's own sentence, when it does not take a property.
    virtual Result<Job> start_transient(const launch::UnitPlan& plan, Pin pin) = 0;
    // Whether this unit can be pinned (one with properties that only systemd's own tools know cannot).
    virtual bool can_pin(const launch::UnitPlan& plan) = 0;
    // Nothing while its main process has not ended. For a pinned unit.
    virtual Result<std::optional<UnitExit>> exit_of(const std::string& unit) = 0;
    virtual Result<Job> start(const std::string& unit) = 0;
    virtual Result<Job> stop(const std::string& unit) = 0;
    // Readable when something may have become of a job; job_end() then takes it in.
    virtual int fd() = 0;
    virtual Result<JobEnd> job_end(Job job) = 0;

    virtual Result<> kill(const std::string& unit, int signal) = 0;  // every process of it
    virtual Result<> freeze(const std::string& unit) = 0;
    virtual Result<> thaw(const std::string& unit) = 0;
    // Resource control, live; gone with this boot of the host (systemctl set-property --runtime).
    virtual Result<> set_properties(const std::string& unit,
                                    const std::vector<std::pair<std::string, std::string>>& properties) = 0;
    // Reads all unit files again, which also runs the generators: for units of declared machines.
    virtual Result<> reload() = 0;
    // Forgets that the unit has failed, so that its name is free.
    virtual void forget(const std::string& unit) = 0;
};

// Null in a program that has none. (unit_start.cc)
Supervisor* supervisor();
void set_supervisor(Supervisor* supervisor);

// Shall machines be units here? Where systemd is PID 1 and machines are the system's; $CROFT_SUPERVISOR=direct (or
// =systemd) decides otherwise.
bool machines_are_units(const Paths& paths);

}  // namespace croft::manager
