// The states of machines as verbs see them: which verb may be used in which, the sentence that refuses it in
// another, and the machines that are only declared. The story of the states is on top of machines.h.
//
// Called by everything in manager/ that does something to one machine, and by cli/ for what it shows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manager/machines.h"
#include "manager/paths.h"

namespace croft::manager {

// A machine that runs, has ended, or is only declared; not_found when it is none of them.
Result<Machine> find_any(const Paths& paths, std::string_view name);
// All of these, sorted by name. Reads each machine file: `croft list` without --all does not.
Result<std::vector<Machine>> list_all(const Paths& paths);

// find_any(), and wrong_state unless `verb` may be used on it now: the sentence names the state it is in, the
// states that the verb is for, and what to do. The machine has a leader then, if the verb is for those that
// run; one that is starting is waited for (10 s).
Result<Machine> find_for(const Paths& paths, std::string_view name, std::string_view verb);
// The same for one that is found already.
Result<> check_state(const Machine& machine, std::string_view verb);
// "booting, running or degraded": the states that a verb is for, as the table has them; "" for an unknown
// verb.
std::string states_of(std::string_view verb);

// What a booted machine's own systemd says of itself ("running", "degraded", "starting", …); "" when it has
// none, or does not answer within some seconds. Runs `systemctl is-system-running` inside, as `croft exec`
// would.
std::string ask_system_state(const Paths& paths, const Machine& machine);

}  // namespace croft::manager
