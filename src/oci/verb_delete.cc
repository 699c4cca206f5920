// delete and kill: the end of a container.
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "base/log.h"
#include "base/signals.h"
#include "base/text.h"
#include "dialect/regular_file.h"
#include "kernel/cgroup.h"
#include "manager/leader.h"
#include "oci/container.h"
#include "oci/destroy.h"

namespace croft::oci {

Result<int> verb_delete(const Call& call) {
    Places places = TRY(find_places(call.global));
    const bool force = call.flags.has("--force");
    auto container = open_container(places, call.operands[0], force ? Lock::by_force : Lock::yes,
                                    force ? Broken::accept : Broken::refuse);
    // Engines delete by force what may be gone already.
    if (!container && force && container.error().code == Errc::not_found) return 0;
    Container c = TRY(std::move(container));
    if (c.alive() && !force)
        return error(Errc::wrong_state,
                     cat("cannot delete container ", quoted(c.id), " that is not stopped: it is ",
                         manager::oci_status_name(c.status()), " (kill it first, or use --force)"));
    TRY(destroy(places, c));
    return 0;
}

namespace {
Result<int> wanted_signal(const Call& call) {
    std::string word = call.operands.size() > 1 ? call.operands[1] : "SIGTERM";
    std::string upper = word;
    for (char& c : upper)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (auto number = signal_number(upper)) return *number;
    return error(Errc::usage, cat(quoted(word), " is no signal: give a name or a number (kill -l lists them)"));
}

std::string pid_namespace(std::string_view process) {
    char name[64];
    ssize_t n = readlink(cat("/proc/", process, "/ns/pid").c_str(), name, sizeof name);
    return std::string(name, n > 0 ? static_cast<size_t>(n) : 0);
}

// Without a control group a PID namespace of its own tells which processes are the container's. With its first one the
// kernel kills all, those in namespaces below too.
Result<> kill_namespace(const Container& c, int signal) {
    Fd init = TRY(c.open_init());
    const std::string wanted = pid_namespace(cat(c.record.init.pid));
    TRY(manager::send_signal(init.get(), 0));  // what was read is of that process
    if (wanted.empty() || wanted == pid_namespace("self"))
        return error(Errc::unsupported,
                     cat("container ", quoted(c.id), " has neither a control group nor a PID namespace of its own, so nobody "
                         "knows all its processes: leave --all out to signal its first one"));
    if (signal == SIGKILL) return manager::send_signal(init.get(), signal);
    for (const std::string& name : TRY(dialect::list_directory("/proc"))) {
        auto pid = parse_uint(name);
        if (!pid || *pid <= 1) continue;
        Fd process(static_cast<int>(syscall(SYS_pidfd_open, *pid, 0)));
        // Asked after it was opened: the pidfd is of that process.
        if (!process || pid_namespace(name) != wanted) continue;
        Result<> sent = manager::send_signal(process.get(), signal);
        if (!sent && sent.error().code != Errc::not_found) return sent;
    }
    return {};
}

Result<> kill_all(const Container& c, int signal) {
    if (c.record.cgroup.empty()) return kill_namespace(c, signal);
    Fd group = TRY(open_at(AT_FDCWD, c.record.cgroup.c_str(), O_RDONLY | O_DIRECTORY)
                       .within(cat("the control group of container ", quoted(c.id))));
    if (signal == SIGKILL) return kernel::kill_cgroup(group.get());
    for (int pid : TRY(kernel::cgroup_pids(group.get())))
        if (::kill(pid, signal) < 0 && errno != ESRCH) return os_error(errno, cat("signalling process ", pid));
    return {};
}
}  // namespace

Result<int> verb_kill(const Call& call) {
    Places places = TRY(find_places(call.global));
    int signal = TRY(wanted_signal(call));
    Container c = TRY(open_container(places, call.operands[0], Lock::no));
    if (call.flags.has("--all")) {
        // Its first process may be gone before the others.
        TRY(kill_all(c, signal));
        return 0;
    }
    Fd init = TRY(c.open_init());
    Result<> sent = manager::send_signal(init.get(), signal);
    if (!sent && sent.error().code == Errc::not_found)
        return error(Errc::wrong_state, cat("container not running: ", quoted(c.id)));
    TRY(std::move(sent));
    return 0;
}

}  // namespace croft::oci
