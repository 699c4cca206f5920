// What croft-hold executes croft for: another life after a reboot from inside, and the clearing that it
// cannot do.
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

#include "base/log.h"
#include "base/text.h"
#include "manager/detached.h"
#include "manager/events.h"
#include "manager/leader.h"
#include "manager/remains.h"
#include "base/remove_tree.h"
#include "manager/watch.h"

namespace croft::manager {
namespace {

// A lock on the tree or the ids, which came over exec; the machine's own lock is not among them.
bool is_other_lock(const Paths& paths, std::string_view path) {
    return path.ends_with(".lck") || path.starts_with(paths.run + "/trees/") ||
           path.starts_with("/run/systemd/nspawn");
}

// Closes the descriptors (but for the streams) whose file is one that `matches`.
void close_inherited(const std::function<bool(std::string_view)>& matches) {
    DIR* dir = opendir("/proc/self/fd");
    if (!dir) return;
    std::vector<int> close_these;
    while (dirent* entry = readdir(dir)) {
        auto number = parse_uint(entry->d_name);
        if (!number || *number <= 2 || static_cast<int>(*number) == dirfd(dir)) continue;
        char target[4096];
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof target);
        if (matches({target, n > 0 ? static_cast<size_t>(n) : 0}))
            close_these.push_back(static_cast<int>(*number));
    }
    closedir(dir);
    for (int fd : close_these) close(fd);
}

// A machine that does not come up again: said where its user looks for it.
void tell_in_log(int directory, const Error& why) {
    Fd log(openat(directory, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (log) (void)write_all(log.get(), cat("croft: rebooting: ", why.text, "\n"));
}

void write_exit(int directory, int code, int status) {
    (void)replace_file_at(directory, "exit", cat(code, " ", status, " ", realtime_now(), "\n"));
}

// The end of a machine whose keeper this process is.
Result<> end(Prepared& machine) {
    // A lock of our own would be in the way of removing its file.
    close_inherited([&](std::string_view path) { return is_other_lock(machine.paths, path); });
    machine.record.leader = {};
    Result<> cleared = clear_remains(machine.paths, machine.record);
    if (!machine.record.remove) {
        machine.keep();
        return cleared;
    }
    wait_for_watchers(machine.claim.directory());
    machine.claim.discard();
    return cleared;
}

Result<Prepared> adopt(const Paths& paths, const std::string& name) {
    Prepared machine(paths, TRY(adopt_claim(paths, name)));
    std::string record = TRY(read_file_at(machine.claim.directory(), "record"));
    machine.record = TRY(parse_record(record));
    return machine;
}

}  // namespace

Result<> relaunch(const Paths& paths, const std::string& name) {
    // Before this process opens any of its own: for another life the locks stay, everything else was the last
    // one's.
    std::string own_lock = cat(paths.machines, "/", name, "/lock");
    close_inherited([&](std::string_view path) { return path != own_lock && !is_other_lock(paths, path); });
    Prepared machine = TRY(adopt(paths, name));
    // It will be cleared by end(), or by nobody.
    auto give_up = [&](const Error& why) -> Result<> {
        tell_in_log(machine.claim.directory(), why);
        write_exit(machine.claim.directory(), CLD_EXITED, 125);
        tell_event(paths,
                   {.machine = name, .event = Event::exited, .detail = cat("could not reboot: ", why.text)});
        return end(machine);
    };
    if (exists_at(machine.claim.directory(), "stop")) {
        write_exit(machine.claim.directory(), CLD_EXITED, 0);
        tell_event(paths,
                   {.machine = name, .event = Event::exited, .detail = "was to stop and not to reboot"});
        return end(machine);
    }
    auto bytes = read_file_at(machine.claim.directory(), "plan", 64 << 20);
    auto plan = bytes ? launch::decode(*bytes) : Result<launch::LaunchPlan>(std::move(bytes).error());
    if (!plan) return give_up(plan.error());
    machine.plan = std::move(*plan);
    const std::string& cgroup = machine.record.cgroup;
    if (cgroup.size() > machine.plan.cgroup.path.size() && !machine.plan.cgroup.path.empty())
        machine.cgroup_root = cgroup.substr(0, cgroup.size() - machine.plan.cgroup.path.size() - 1);
    if (Result<> cleared = clear_for_reboot(machine.record); !cleared) return give_up(cleared.error());
    for (const char* file : {"ready", "status", "attach"}) unlinkat(machine.claim.directory(), file, 0);
    ++machine.record.restarts;
    tell_event(paths, {.machine = name, .event = Event::rebooted});
    return give_up(launch_and_hold(machine, KeeperEnds()));
}

Result<> cleanup(const Paths& paths, const std::string& name) {
    auto machine = adopt(paths, name);
    if (machine) return end(*machine);
    // By hand, or twice: then the machine is like any that has ended, if it is there at all.
    auto found = find(paths, name);
    if (!found && found.error().code == Errc::not_found) return {};
    if (!found) return std::move(found).error();
    return clear(paths, *found);
}

}  // namespace croft::manager
