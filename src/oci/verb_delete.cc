// delete and kill: the end of a container.
#include <csignal>

#include "base/log.h"
#include "base/signals.h"
#include "base/text.h"
#include "kernel/cgroup.h"
#include "manager/leader.h"
#include "oci/container.h"
#include "oci/destroy.h"

namespace croft::oci {

Result<int> verb_delete(const Call& call) {
    Places places = TRY(find_places(call.global));
    const bool force = call.flags.has("--force");
    auto container = open_container(places, call.operands[0], Lock::yes, force ? Broken::accept : Broken::refuse);
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

Result<> kill_all(const Container& c, int signal) {
    if (c.record.cgroup.empty())
        return error(Errc::unsupported, cat("container ", quoted(c.id),
                                            " has no control group of its own, so nobody knows all its processes"));
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
