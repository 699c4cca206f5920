// stop and stop_all: one state machine for each machine that is being stopped, all driven by one poll(2).
//
//   signal ---- leader gone ----------------------> ending ---- keeper gone ----> done
//     |                                               ^
//     +-- timeout --> kill (what hung is listed) -----+-- leader still there after 10s --> failed
//
// A machine that is a unit is stopped by systemd, or systemd would think that it had failed, or start it again: the
// signal is then systemd's, and "keeper gone" is the end of systemd's job.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/log.h"
#include "base/signals.h"
#include "base/text.h"
#include "manager/control.h"
#include "manager/events.h"
#include "manager/init_request.h"
#include "manager/leader.h"
#include "manager/ready.h"
#include "manager/states.h"
#include "manager/supervisor.h"

namespace croft::manager {
namespace {

constexpr uint64_t kill_patience = 10'000'000;  // µs from SIGKILL to "cannot be killed"
constexpr size_t window = 300;  // machines at once: two descriptors each, and 1024 are allowed

enum class Phase { signalled, killed, ending, done };

struct Target {
    Machine machine;
    Fd leader, keeper;
    std::optional<Job> job;  // systemd's, for a machine that is a unit
    Phase phase = Phase::signalled;
    uint64_t deadline = 0;  // monotonic µs; UINT64_MAX: none
    Stopped result;
    std::optional<Error> failed;
    int watched() const {
        if (phase != Phase::ending) return leader.get();
        return job ? supervisor()->fd() : keeper.get();
    }
};

// The reason of the end, for whoever asks later; and a sign to `_relaunch` not to start it again.
void note(const Paths& paths, const Machine& machine, const char* text) {
    if (auto dir = open_at(AT_FDCWD, cat(paths.machines, "/", machine.name).c_str(), O_RDONLY | O_DIRECTORY))
        (void)replace_file_at(dir->get(), "stop", text, 0644);
    tell_event(paths, {.machine = machine.name,
                       .event = Event::stopping,
                       .detail = trim(text) == "killed" ? "killed, because it did not end in time" : ""});
}

bool job_ended(const Target& t) {
    auto end = supervisor()->job_end(*t.job);
    return !end || *end != JobEnd::running;
}

void start_ending(Target& t) {
    t.phase = t.keeper || t.job ? Phase::ending : Phase::done;
    t.deadline = monotonic_now() + kill_patience;
}

bool is_unit(const Target& t) {
    return !t.machine.record.unit.empty() && supervisor();
}

// systemd sends the signal, and from now on waits for the end.
void queue_stop(Target& t) {
    auto job = supervisor()->stop(t.machine.record.unit);
    if (job)
        t.job = *job;
    else
        t.failed = std::move(job).error(), t.phase = Phase::done;
}

// systemd's timeout is the same; ours comes a moment before it, to tell what hung.
uint64_t before_systemd(uint64_t timeout) {
    constexpr uint64_t moment = 200'000;  // µs
    return timeout == UINT64_MAX || timeout < 4 * moment ? timeout : timeout - moment;
}

void kill_now(const Paths& paths, Target& t, const char* reason) {
    note(paths, t.machine, reason);
    if (is_unit(t) && !t.job) queue_stop(t);
    if (t.failed) return;
    (void)write_file_at(AT_FDCWD, (t.machine.record.cgroup + "/cgroup.kill").c_str(), "1");
    auto sent = send_signal(t.leader.get(), SIGKILL);
    t.phase = Phase::killed;
    t.deadline = monotonic_now() + kill_patience;
    if (!sent && sent.error().code != Errc::not_found)
        t.failed = std::move(sent).error(), t.phase = Phase::done;
}

void send_stop(Target& t, uint64_t timeout) {
    const Record& record = t.machine.record;
    // sysvinit has no signal that means power-off, so it is asked in its own way.
    auto sent = record.boot && (record.init_kind == "sysvinit" || record.init_kind == "openrc")
                    ? ask_init(record, t.leader.get(), Request::poweroff)
                : is_unit(t) ? Result<>()
                             : send_signal(t.leader.get(), static_cast<int>(record.stop_signal));
    if (is_unit(t)) queue_stop(t);
    if (t.failed) return;
    t.deadline = timeout == UINT64_MAX ? UINT64_MAX : monotonic_now() + timeout;
    if (!sent && sent.error().code == Errc::not_found) return start_ending(t);
    if (!sent) t.failed = std::move(sent).error(), t.phase = Phase::done;
}

void begin(const Paths& paths, Target& t, const StopOptions& options) {
    const Record& record = t.machine.record;
    t.result.name = t.machine.name;
    if (auto keeper = open_process(record.keeper)) t.keeper = std::move(*keeper);
    auto leader = open_process(record.leader);
    if (!leader) return start_ending(t);
    t.leader = std::move(*leader);
    uint64_t timeout = options.timeout.value_or(record.stop_timeout);
    if (is_unit(t)) timeout = before_systemd(timeout);
    if (options.now || timeout == 0) return kill_now(paths, t, "stopped\n");
    // A frozen machine takes no signal.
    if (t.machine.state == State::frozen && is_unit(t))
        (void)supervisor()->thaw(record.unit);
    else if (t.machine.state == State::frozen)
        (void)write_file_at(AT_FDCWD, (record.cgroup + "/cgroup.freeze").c_str(), "0");
    if (!record.boot && !handles_signal(record.leader.pid, record.stop_signal)) {
        t.result.outcome.text = cat("it does not handle ", signal_name(static_cast<int>(record.stop_signal)));
        return kill_now(paths, t, "stopped\n");
    }
    note(paths, t.machine, "stopped\n");
    send_stop(t, timeout);
}

void on_timeout(const Paths& paths, Target& t) {
    const Record& record = t.machine.record;
    if (t.phase == Phase::signalled) {
        t.result.hung = processes_in(record.cgroup);
        if (t.result.hung.empty()) t.result.hung.push_back(cat(record.leader.pid, " (leader)"));
        return kill_now(paths, t, "killed\n");
    }
    if (t.phase == Phase::killed)
        t.failed =
            error(Errc::timeout, cat("machine ", quoted(t.machine.name),
                                     " does not end although it was killed: a process waits in the kernel (",
                                     join(processes_in(record.cgroup), ", "), ")"));
    t.phase = Phase::done;
}

// What became of it: from its record, or as we know it when it took the record with it.
void finish(const Paths& paths, Target& t) {
    if (t.failed) return;
    std::string text = std::move(t.result.outcome.text);
    auto machine = find(paths, t.machine.name);
    if (machine && !machine->alive())
        t.result.outcome = machine->outcome;
    else
        apply_stop(t.result.outcome = {}, t.result.hung.empty() ? "stopped" : "killed");
    t.result.outcome.text = std::move(text);
    if (machine && machine->state == State::lost) (void)clear(paths, *machine);
}

// One poll for all that are being stopped, and one step for each that has an event or is late.
void step(const Paths& paths, std::vector<Target*>& active) {
    std::vector<pollfd> watched;
    uint64_t first = UINT64_MAX, now = monotonic_now();
    for (Target* t : active) {
        watched.push_back({t->watched(), POLLIN, 0});
        first = std::min(first, t->deadline);
    }
    int timeout =
        first == UINT64_MAX
            ? -1
            : static_cast<int>(std::min<uint64_t>(first > now ? (first - now) / 1000 + 1 : 0, 1 << 30));
    poll(watched.data(), watched.size(), timeout);
    now = monotonic_now();
    for (size_t i = 0; i < active.size(); ++i) {
        Target& t = *active[i];
        if (watched[i].revents && t.phase == Phase::ending)
            t.phase = t.job ? Phase::ending : Phase::done;
        else if (watched[i].revents)
            start_ending(t);
        else if (now >= t.deadline)
            on_timeout(paths, t);
    }
}

void run(const Paths& paths, std::vector<Target>& targets, const StopOptions& options) {
    std::vector<Target*> active;
    size_t next = 0;
    while (next < targets.size() || !active.empty()) {
        for (; next < targets.size() && active.size() < window; ++next) {
            begin(paths, targets[next], options);
            active.push_back(&targets[next]);
        }
        std::erase_if(active, [&](Target* t) {
            // What systemd says of one job may have come with what it said of another.
            if (t->phase == Phase::ending && t->job && job_ended(*t)) {
                t->job.reset();
                if (!t->keeper) t->phase = Phase::done;
            }
            if (t->phase != Phase::done) return false;
            finish(paths, *t);
            t->leader.reset(), t->keeper.reset();
            return true;
        });
        if (!active.empty()) step(paths, active);
    }
}

}  // namespace

Result<Stopped> stop(const Paths& paths, std::string_view name, const StopOptions& options) {
    std::vector<Target> targets(1);
    targets[0].machine = TRY(find_for(paths, name, "stop"));
    if (targets[0].machine.state == State::ready) {
        TRY(give_back(targets[0].machine).within(cat("machine ", quoted(name))));
        tell_event(paths, {.machine = std::string(name),
                           .event = Event::exited,
                           .detail = "it was ready and had not begun"});
        return Stopped{
            std::string(name), {launch::Outcome::Kind::stopped, 0, "it was ready and had not begun"}, {}};
    }
    run(paths, targets, options);
    if (targets[0].failed) return std::move(*targets[0].failed);
    return std::move(targets[0].result);
}

Result<std::vector<Stopped>> stop_all(const Paths& paths, const StopOptions& options,
                                      std::vector<StopFailure>& failed) {
    std::vector<Target> targets;
    std::vector<Stopped> out;
    for (const Machine& listed : TRY(list(paths))) {
        if (!listed.alive()) continue;
        auto found = find_settled(paths, listed.name, settle_start);
        if (!found || !found->alive()) continue;  // it has ended meanwhile
        if (Result<> may = check_state(*found, "stop"); !may) {
            failed.push_back({listed.name, std::move(may).error()});
            continue;
        }
        Machine& machine = *found;
        if (machine.state == State::ready) {
            auto stopped = stop(paths, machine.name, options);
            if (stopped)
                out.push_back(std::move(*stopped));
            else
                failed.push_back({machine.name, std::move(stopped).error()});
        } else {
            targets.emplace_back().machine = std::move(machine);
        }
    }
    run(paths, targets, options);
    for (Target& t : targets) {
        if (t.failed)
            failed.push_back({t.machine.name, std::move(*t.failed)});
        else
            out.push_back(std::move(t.result));
    }
    return out;
}

}  // namespace croft::manager
