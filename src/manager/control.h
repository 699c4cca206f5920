// Verbs on machines that exist: stop, poweroff, reboot, kill, pause, resume, wait, remove. Called by cli/.
// Each names its legal states and refuses others with wrong_state; each acts on pidfds, so never on a reused
// pid.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "launch/outcome.h"
#include "manager/machines.h"

namespace croft::manager {

class Watch;  // watch.h

struct StopOptions {
    std::optional<uint64_t> timeout;  // µs until SIGKILL; unset: the plan's own
    bool now = false;                 // SIGKILL at once
};
struct Stopped {
    std::string name;
    launch::Outcome outcome;        // kind stopped, or killed
    std::vector<std::string> hung;  // "123 (postgres)": what was left when it had to be killed
};

// The init's own stop signal, a wait, then cgroup.kill (or SIGKILL to PID 1) naming what hung.
Result<Stopped> stop(const Paths& paths, std::string_view name, const StopOptions& options);
// Many at once: signals all, waits for all. Machines that are not alive are passed over. Errors come with
// their names.
struct StopFailure {
    std::string name;
    Error why;
};
Result<std::vector<Stopped>> stop_all(const Paths& paths, const StopOptions& options,
                                      std::vector<StopFailure>& failed);

// Clean power-off or reboot as this init understands it (systemd: SIGRTMIN+4, SIGRTMIN+5; busybox: SIGUSR2,
// SIGTERM; sysvinit: a request on /run/initctl; OpenRC's init likewise). Refused for an app. poweroff does
// not wait.
Result<> poweroff(const Paths& paths, std::string_view name);
Result<> reboot(const Paths& paths, std::string_view name);

enum class Whom { leader, all };
Result<> kill(const Paths& paths, std::string_view name, int signal, Whom whom);
Result<> pause(const Paths& paths, std::string_view name);
Result<> resume(const Paths& paths, std::string_view name);

// Blocks until it has ended (a reboot is not an end) and says how.
Result<launch::Outcome> wait(const Paths& paths, std::string_view name);
// The same for who has watched it before it could end: also a machine that is removed then is looked at.
Result<launch::Outcome> wait(const Paths& paths, std::string_view name, Watch& watch);

enum class Force { no, yes };  // yes: stop it first, by SIGKILL
Result<> remove(const Paths& paths, std::string_view name, Force force);

}  // namespace croft::manager
