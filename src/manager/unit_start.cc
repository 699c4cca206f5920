#include "manager/unit_start.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/log.h"
#include "base/text.h"
#include "manager/handover.h"
#include "manager/leader.h"
#include "manager/supervisor.h"

namespace croft::manager {
namespace {

constexpr uint64_t name_patience = 5'000'000;    // µs for systemd to forget the unit's last life

Supervisor* installed = nullptr;

// What this process was told by its environment, the launcher has to know too.
void pass_environment(launch::UnitPlan& unit) {
    for (const char* name : {"CROFT_RUN_DIR", "CROFT_STATE_DIR", "CROFT_CACHE_DIR", "CROFT_HELPER_DIR",
                             "CROFT_CONFIG_DIR"})
        if (const char* value = getenv(name)) unit.service.emplace_back("Environment", cat(name, "=", value));
}

Error refused(const launch::UnitPlan& unit) {
    return error(Errc::failed, cat("systemd did not start ", unit.name, "; `systemctl status ", unit.name,
                                   "` and `journalctl -u ", unit.name, "` say why"));
}

// The launcher's connection; an error when the job ends without one.
Result<Fd> accept_launcher(Supervisor& systemd, Job job, int listening, const launch::UnitPlan& unit, uint64_t patience) {
    for (uint64_t until = monotonic_now() + patience;;) {
        uint64_t now = monotonic_now();
        pollfd watched[] = {{listening, POLLIN, 0}, {systemd.fd(), POLLIN, 0}};
        int n = poll(watched, 2, now < until ? static_cast<int>((until - now) / 1000 + 1) : 0);
        if (n < 0 && errno != EINTR) return os_error(errno, "waiting for the launcher");
        if (n == 0) {
            // Nobody would be there for a launcher that comes later.
            (void)systemd.stop(unit.name);
            return error(Errc::timeout, cat("systemd has not begun to start ", unit.name, " for ", human_duration(patience),
                                            "; `systemctl list-jobs` shows what it waits for"));
        }
        if (watched[0].revents) {
            Fd connection(accept4(listening, nullptr, nullptr, SOCK_CLOEXEC));
            if (connection) return connection;
            if (errno != EINTR && errno != ECONNABORTED) return os_error(errno, "accepting the launcher");
        }
        if (TRY(systemd.job_end(job)) == JobEnd::failed) return refused(unit);
    }
}

// A payload that ended at once takes its unit with it, and the launcher may not come to answer. The record tells.
int ended_already(const Prepared& machine) {
    auto text = read_file_at(machine.claim.directory(), "record");
    auto record = text ? parse_record(*text) : Result<Record>(std::move(text).error());
    return record && record->leader.pid && exists_at(machine.claim.directory(), "exit") ? record->leader.pid : 0;
}

}  // namespace

Supervisor* supervisor() {
    return installed;
}
void set_supervisor(Supervisor* supervisor) {
    installed = supervisor;
}

bool machines_are_units(const Paths& paths) {
    const char* wanted = getenv("CROFT_SUPERVISOR");
    if (wanted && *wanted) return std::string_view(wanted) == "systemd";
    return paths.system && access("/run/systemd/system", F_OK) == 0;
}

Result<Job> start_when_free(Supervisor& systemd, const launch::UnitPlan& unit, Pin pin) {
    bool unsure = false;
    const uint64_t begin = monotonic_now();
    for (;;) {
        auto job = systemd.start_transient(unit, pin);
        if (job) return job;
        bool interrupted = was_interrupted(job.error()), exists = job.error().code == Errc::exists;
        if (exists && unsure) return Job{0};
        uint64_t patience = interrupted ? start_patience : name_patience;
        if ((!exists && !interrupted) || monotonic_now() - begin > patience) return job;
        unsure = unsure || interrupted;
        if (!unsure) systemd.forget(unit.name);
        timespec pause = {0, interrupted ? 200'000'000 : 10'000'000};
        nanosleep(&pause, nullptr);
    }
}

Result<UnitStart> start_unit(Prepared& machine, Streams streams, bool attach, Pin pin, uint64_t patience) {
    Supervisor& systemd = *supervisor();
    Fd listening = TRY(listen_start(machine.claim.directory()));
    pass_environment(machine.unit);
    Job job = TRY(start_when_free(systemd, machine.unit, pin));
    Fd connection = TRY(accept_launcher(systemd, job, listening.get(), machine.unit, patience));
    unlinkat(machine.claim.directory(), "start", 0);
    StartRequest request;
    request.has_streams = streams == Streams::inherited;
    request.wants_console = attach, request.starter_waits = pin == Pin::yes;
    request.fail_step = machine.fail_step, request.kill_step = machine.kill_step;
    std::vector<int> descriptors;
    if (request.has_streams) descriptors = {0, 1, 2};
    for (int lock : machine.locks()) descriptors.push_back(lock);
    TRY(send_request(connection.get(), request, descriptors));
    UnitStart out;
    auto leader = receive_answer(connection.get());
    out.leader = leader ? *leader : ended_already(machine);
    if (!out.leader) return std::move(leader).error();
    machine.record.leader = {out.leader, process_start(out.leader).value_or(0)};
    if (attach) out.connection = std::move(connection);
    return out;
}

}  // namespace croft::manager
