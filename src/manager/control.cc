#include "manager/control.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "base/signals.h"
#include "base/text.h"
#include "manager/events.h"
#include "manager/init_request.h"
#include "manager/leader.h"
#include "manager/states.h"
#include "manager/supervisor.h"
#include "manager/watch.h"

namespace croft::manager {
namespace {

Result<> ask(const Paths& paths, std::string_view name, Request request) {
    const char* verb = request == Request::reboot ? "reboot" : "poweroff";
    Machine machine = TRY(find_for(paths, name, verb));
    if (!machine.record.boot)
        return error(Errc::wrong_state,
                     cat("machine ", quoted(name), " runs one program and no init, so it cannot ", verb,
                         "; `croft stop ", name, "` ends it"));
    Fd pidfd = TRY(open_process(machine.record.leader));
    TRY(ask_init(machine.record, pidfd.get(), request).within(cat("machine ", quoted(name))));
    if (request == Request::poweroff)
        tell_event(paths, {.machine = machine.name, .event = Event::stopping, .detail = "power-off"});
    return {};
}

// A pid from cgroup.procs may be another process a moment later: the pidfd first, then the group is looked at
// again.
void signal_in_group(std::string_view pid_text, std::string_view group, int signal) {
    auto pid = parse_uint(pid_text);
    if (!pid || *pid <= 1) return;
    Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, *pid, 0)));
    if (!pidfd) return;
    auto now = read_file_at(AT_FDCWD, cat("/proc/", *pid, "/cgroup").c_str(), 1 << 16);
    if (now && now->find(group) != std::string::npos) (void)send_signal(pidfd.get(), signal);
}

Result<> kill_all(const Machine& machine, int signal) {
    Fd leader = TRY(open_process(machine.record.leader));
    // With PID 1 the kernel kills all of its PID namespace.
    if (signal == SIGKILL) return send_signal(leader.get(), signal);
    if (machine.record.cgroup.empty())
        return error(Errc::unsupported,
                     cat("machine ", quoted(machine.name),
                         " has no cgroup, so its processes cannot be found; use --whom=leader"));
    // As /proc/PID/cgroup has it: the path below the mount.
    std::string_view group = machine.record.cgroup;
    for (std::string_view mount : {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"})
        if (group.starts_with(mount)) {
            group.remove_prefix(mount.size());
            break;
        }
    for (const std::string& process : processes_in(machine.record.cgroup, SIZE_MAX))
        signal_in_group(std::string_view(process).substr(0, process.find(' ')), group, signal);
    return {};
}

// Pausing leaves a mark in the machine's directory, so that a list need not ask the kernel about each
// machine.
void mark_paused(const Paths& paths, std::string_view name, bool paused) {
    auto directory = open_at(AT_FDCWD, cat(paths.machines, "/", name).c_str(), O_RDONLY | O_DIRECTORY);
    if (!directory) return;
    if (paused)
        (void)replace_file_at(directory->get(), "paused", "");
    else
        unlinkat(directory->get(), "paused", 0);
}

// The kernel freezes each task when it next leaves the kernel; cgroup.events says when all are.
Result<> wait_frozen(const std::string& cgroup, bool frozen) {
    const char* wanted = frozen ? "frozen 1" : "frozen 0";
    for (int tries = 0; tries < 1000; ++tries) {
        auto events = read_file_at(AT_FDCWD, (cgroup + "/cgroup.events").c_str(), 4096);
        if (!events || events->find(wanted) != std::string::npos) return {};
        timespec time = {0, 2'000'000};
        nanosleep(&time, nullptr);
    }
    return error(Errc::timeout, cat("it is not yet ", frozen ? "frozen" : "thawed",
                                    " after 2s: a process waits in the kernel"));
}

enum class Freeze { thaw, freeze };

Result<> set_frozen(const Paths& paths, std::string_view name, Freeze what) {
    bool frozen = what == Freeze::freeze;
    Machine machine = TRY(find_for(paths, name, frozen ? "pause" : "resume"));
    const std::string& cgroup = machine.record.cgroup;
    if (cgroup.empty())
        return error(Errc::unsupported,
                     cat("machine ", quoted(name),
                         " has no cgroup of its own, so it cannot be paused; this host has no "
                         "cgroup2, or it is not delegated to this user (croft doctor)"));
    if (frozen) mark_paused(paths, name, true);
    if (!machine.record.unit.empty() && supervisor())
        TRY(frozen ? supervisor()->freeze(machine.record.unit) : supervisor()->thaw(machine.record.unit));
    else
        TRY(write_file_at(AT_FDCWD, (cgroup + "/cgroup.freeze").c_str(), frozen ? "1" : "0"));
    if (!frozen) mark_paused(paths, name, false);
    TRY(wait_frozen(cgroup, frozen).within(cat("machine ", quoted(name))));
    tell_event(paths, {.machine = std::string(name), .event = frozen ? Event::frozen : Event::thawed});
    return {};
}

}  // namespace

Result<> poweroff(const Paths& paths, std::string_view name) {
    return ask(paths, name, Request::poweroff);
}
Result<> reboot(const Paths& paths, std::string_view name) {
    return ask(paths, name, Request::reboot);
}
Result<> pause(const Paths& paths, std::string_view name) {
    return set_frozen(paths, name, Freeze::freeze);
}
Result<> resume(const Paths& paths, std::string_view name) {
    return set_frozen(paths, name, Freeze::thaw);
}

Result<> kill(const Paths& paths, std::string_view name, int signal, Whom whom) {
    Machine machine = TRY(find_for(paths, name, "kill"));
    if (whom == Whom::all) return kill_all(machine, signal);
    Fd pidfd = TRY(open_process(machine.record.leader));
    return send_signal(pidfd.get(), signal).within(cat("machine ", quoted(name)));
}

Result<launch::Outcome> wait(const Paths& paths, std::string_view name) {
    TRY(find_for(paths, name, "wait"));
    Fd directory = TRY(open_at(AT_FDCWD, cat(paths.machines, "/", name).c_str(), O_RDONLY | O_DIRECTORY));
    // Set up before the first look, so that an end in between is not missed.
    Watch watch(directory.get());
    return wait(paths, name, watch);
}

Result<launch::Outcome> wait(const Paths& paths, std::string_view name, Watch& watch) {
    for (;;) {
        auto machine = find(paths, name);
        if (!machine && machine.error().code == Errc::not_found)
            return error(
                Errc::wrong_state,
                cat("machine ", quoted(name), " has ended; its status went to the command that started it"));
        if (!machine) return std::move(machine).error();
        if (machine->state == State::lost)
            return error(Errc::wrong_state,
                         cat("machine ", quoted(name),
                             " was lost: its keeper was killed, and how it ended is not known"));
        if (!machine->alive()) return machine->outcome;
        watch.wait(UINT64_MAX);
    }
}

Result<> remove(const Paths& paths, std::string_view name, Force force) {
    auto settled = find_settled(paths, name);
    if (!settled && settled.error().code == Errc::not_found) settled = find_for(paths, name, "rm");
    Machine machine = TRY(std::move(settled));
    if (machine.alive() && force == Force::no)
        return error(Errc::wrong_state,
                     cat("machine ", quoted(name), " is ", state_name(machine.state),
                         "; `croft rm` is for one that is ", states_of("rm"), ": stop it first, or use --force"));
    if (machine.alive()) {
        StopOptions now;
        now.now = true;
        auto stopped = stop(paths, name, now);
        if (!stopped && stopped.error().code != Errc::not_found) return std::move(stopped).error();
        // A foreground machine, or one with --rm, takes its own directory away.
        auto rest = find(paths, name);
        if (!rest && rest.error().code == Errc::not_found) return {};
        machine = TRY(std::move(rest));
    }
    return clear(paths, machine);
}

}  // namespace croft::manager
