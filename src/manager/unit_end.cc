// The end of one life of a unit's machine, and the mark of its readiness: what systemd runs beside the launcher.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/log.h"
#include "base/signals.h"
#include "base/text.h"
#include "manager/control.h"
#include "manager/events.h"
#include "manager/leader.h"
#include "base/lock_file.h"
#include "manager/machines.h"
#include "manager/own_unit.h"
#include "manager/remains.h"
#include "manager/sd_notify.h"
#include "manager/supervisor.h"
#include "manager/unit_launch.h"
#include "manager/watch.h"

namespace croft::manager {
namespace {

// $EXIT_CODE and $EXIT_STATUS of systemd.exec(5).
UnitExit unit_exit() {
    const char *code = getenv("EXIT_CODE"), *status = getenv("EXIT_STATUS");
    if (!code || !status) return {CLD_EXITED, 0};
    if (!strcmp(code, "exited")) return {CLD_EXITED, static_cast<int>(parse_uint(status).value_or(0))};
    return {!strcmp(code, "dumped") ? CLD_DUMPED : CLD_KILLED, signal_number(status).value_or(0)};
}

// Only what this very life of the unit has left: the name may be another machine's by now.
Result<std::optional<Machine>> own_machine(const Paths& paths, const std::string& name) {
    OwnUnit unit = TRY(own_unit());
    auto machine = find(paths, name);
    if (!machine && machine.error().code == Errc::not_found) return std::optional<Machine>();
    if (!machine) return std::move(machine).error();
    if (machine->record.unit != unit.name || machine->record.invocation != unit.invocation)
        return std::optional<Machine>();
    return std::optional<Machine>(std::move(*machine));
}

// After a reboot systemd starts the unit again, with all that is the machine's (RestartForceExitStatus=SIGHUP).
bool comes_again(const Machine& machine, const UnitExit& how, int directory) {
    return machine.record.boot && how.code == CLD_KILLED && how.status == SIGHUP &&
           !exists_at(directory, "stop");
}

// Nobody shall take the machine for the one that has just ended: until the next launch it is starting.
Result<> between_lives(Machine& machine, int directory) {
    for (const char* file : {"ready", "status"}) unlinkat(directory, file, 0);
    machine.record.leader = {};
    return replace_file_at(directory, "record", to_text(machine.record));
}

}  // namespace

Result<> end_of_unit(const Paths& paths, const std::string& name) {
    auto machine = TRY(own_machine(paths, name));
    if (!machine) return {};
    Fd directory = TRY(open_at(AT_FDCWD, cat(paths.machines, "/", name).c_str(), O_RDONLY | O_DIRECTORY));
    UnitExit how = unit_exit();
    if (comes_again(*machine, how, directory.get())) {
        tell_event(paths, {.machine = name, .event = Event::rebooted});
        return between_lives(*machine, directory.get());
    }
    // A launcher that failed has told its starter; what it could not clear is cleared now.
    bool was_launched = machine->record.leader.pid != 0;
    TRY(replace_file_at(directory.get(), "exit", cat(how.code, " ", how.status, " ", realtime_now(), "\n")));
    if (was_launched)
        tell_event(paths, {.machine = name,
                           .event = Event::exited,
                           .detail = launch::describe(
                               launch::outcome_from_wait(how.code, how.status, machine->record.boot))});
    TRY(notify_systemd("FDSTOREREMOVE=1\nFDNAME=croft"));
    TRY(notify_barrier());
    // The machine is nobody's now. Whoever takes the name first clears it: this process, or a new start.
    Fd lock = TRY(open_at(directory.get(), "lock", O_RDWR | O_NOFOLLOW));
    if (!lock_fd(lock.get(), LockKind::exclusive)) return {};
    Record record = machine->record;
    record.leader = {};
    Result<> cleared = clear_remains(paths, record);
    if (!record.remove && was_launched) return cleared;
    wait_for_watchers(directory.get());
    lock.reset();
    Result<> removed = remove(paths, name, Force::no);
    return cleared ? removed : cleared;
}

Result<> unit_is_ready(const Paths& paths, const std::string& name) {
    auto machine = TRY(own_machine(paths, name));
    // The unit of a declared machine asks this of every machine; of an app nobody waits to hear it.
    if (!machine || !machine->record.waits_ready) return {};
    Fd directory = TRY(open_at(AT_FDCWD, cat(paths.machines, "/", name).c_str(), O_RDONLY | O_DIRECTORY));
    TRY(replace_file_at(directory.get(), "ready", "1\n"));
    tell_event(paths, {.machine = name, .event = Event::ready});
    return {};
}

}  // namespace croft::manager
