#include "manager/unit_launch.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/log.h"
#include "base/text.h"
#include "manager/declared.h"
#include "manager/events.h"
#include "manager/handover.h"
#include "manager/leader.h"
#include "manager/own_unit.h"
#include "manager/prepare.h"
#include "manager/remains.h"
#include "manager/sd_notify.h"
#include "run/hold.h"
#include "run/notify.h"

namespace croft::manager {
namespace {

constexpr const char* lock_name = "FDNAME=croft";

// One start of a unit: what has been taken over for it, from whoever had it before.
class UnitLaunch {
  public:
    UnitLaunch(const Paths& paths, std::string name, OwnUnit unit)
        : paths_(paths), name_(std::move(name)), unit_(std::move(unit)) {}
    Result<> run();

  private:
    Result<Prepared> take();
    Result<Prepared> take_over();
    Result<Prepared> take_again();
    Result<Prepared> plan_declared();
    Result<Prepared> go_on();
    Result<> perform(Prepared& machine);
    Result<> write_down(Prepared& machine);
    Result<> make_main(Prepared& machine, pid_t payload);
    Result<> tell_starter(run::Launched& launched);
    Result<> keep_console(Prepared& machine, run::Launched& launched);
    Result<> wait_ready(Prepared& machine, run::Launched& launched);
    void become_registrar() const;
    std::string directory() const { return cat(paths_.machines, "/", name_); }

    const Paths& paths_;
    const std::string name_;
    const OwnUnit unit_;
    std::vector<Fd> locks_;   // descriptors that systemd shall keep, when they are not the Prepared's own
    std::vector<Fd> streams_;
    Fd starter_;
    bool wants_console_ = false, kept_already_ = false;
    bool registers_ = false, starter_waits_ = false;
};

Result<Prepared> adopt(const Paths& paths, const std::string& name) {
    Prepared machine(paths, TRY(adopt_claim(paths, name)));
    std::string record = TRY(read_file_at(machine.claim.directory(), "record"));
    machine.record = TRY(parse_record(record));
    std::string plan = TRY(read_file_at(machine.claim.directory(), "plan", 64 << 20));
    machine.plan = TRY(launch::decode(plan));
    return machine;
}

// The payload asked for a reboot: everything but the processes is still the machine's.
Result<Prepared> UnitLaunch::go_on() {
    kept_already_ = true;
    Prepared machine = TRY(adopt(paths_, name_));
    TRY(clear_for_reboot(machine.record));
    for (const char* file : {"ready", "status", "attach"}) unlinkat(machine.claim.directory(), file, 0);
    ++machine.record.restarts;
    return machine;
}

Result<Prepared> UnitLaunch::take_over() {
    StartRequest request = TRY(receive_request(starter_.get(), locks_));
    if (request.has_streams && locks_.size() >= 3) {
        for (int i = 0; i < 3; ++i) streams_.push_back(std::move(locks_[static_cast<size_t>(i)]));
        locks_.erase(locks_.begin(), locks_.begin() + 3);
    }
    wants_console_ = request.wants_console, starter_waits_ = request.starter_waits;
    Prepared machine = TRY(adopt(paths_, name_));
    machine.fail_step = request.fail_step, machine.kill_step = request.kill_step;
    return machine;
}

Result<Prepared> UnitLaunch::plan_declared() {
    LoadedMachine loaded = TRY(load_declared(paths_, name_));
    for (const spec::Warning& warning : loaded.warnings) warn(warning.text);
    StartOptions options;
    options.keep = Keep::detached;
    options.as_unit = true, options.unit = unit_.name;
    return prepare(paths_, loaded.spec, options);
}

// A machine that could not be taken again stays known, as one that has failed, so that systemd may try again later.
Result<> put_back(Prepared& machine, const std::string& plan) {
    if (machine.record.remove) return {};
    int directory = machine.claim.directory();
    TRY(replace_file_at(directory, "plan", plan, 0600));
    TRY(replace_file_at(directory, "exit", cat(int{CLD_EXITED}, " 125 ", realtime_now(), "\n")));
    Record record = machine.record;
    record.locks.clear();
    TRY(machine.claim.write(record));
    machine.claim.keep();
    return {};
}

// As it was, but for the locks, which ended with the life before. Claiming the name clears the directory.
Result<Prepared> UnitLaunch::take_again() {
    std::string text = TRY(read_file_at(AT_FDCWD, (directory() + "/record").c_str()));
    Record record = TRY(parse_record(text));
    std::string plan = TRY(read_file_at(AT_FDCWD, (directory() + "/plan").c_str(), 64 << 20));
    Prepared machine(paths_, TRY(claim(paths_, name_)));
    record.leader = {}, record.locks.clear(), record.invocation.clear();
    ++record.restarts;
    machine.record = std::move(record);
    machine.plan = TRY(launch::decode(plan));
    if (Result<> taken = retake(machine); !taken) {
        if (Result<> left = put_back(machine, plan); !left) warn(left.error().text);
        return std::move(taken).error();
    }
    TRY(replace_file_at(machine.claim.directory(), "plan", plan, 0600).within("keeping the plan"));
    return machine;
}

Result<Prepared> UnitLaunch::take() {
    std::vector<Fd> kept = kept_descriptors();
    bool ended = exists_at(AT_FDCWD, (directory() + "/exit").c_str());
    if (!kept.empty() && !ended && exists_at(AT_FDCWD, (directory() + "/record").c_str())) {
        locks_ = std::move(kept);
        return go_on();
    }
    if (!kept.empty()) {
        TRY(notify_systemd(cat("FDSTOREREMOVE=1\n", lock_name)));
        TRY(notify_barrier());
        kept.clear();
    }
    auto machine_directory = open_at(AT_FDCWD, directory().c_str(), O_RDONLY | O_DIRECTORY);
    if (machine_directory) {
        auto connection = connect_start(machine_directory->get());
        if (connection) {
            starter_ = std::move(*connection);
            return take_over();
        }
    }
    if (unit_.declared()) return plan_declared();
    if (machine_directory && exists_at(machine_directory->get(), "plan")) return take_again();
    return error(Errc::not_found, cat("nothing is known of the machine ", quoted(name_),
                                      " any more: it was started for once; start it again with croft run or boot"));
}

// Before anything is made: what a launcher that is killed leaves is told from another life's by this.
Result<> UnitLaunch::write_down(Prepared& machine) {
    machine.record.unit = unit_.name, machine.record.invocation = unit_.invocation;
    if (!starter_waits_) machine.record.keeper = {};
    machine.record.leader = {};
    std::string below = cat("/", machine.plan.cgroup.path);
    if (machine.record.cgroup.ends_with(below))
        machine.cgroup_root = machine.record.cgroup.substr(0, machine.record.cgroup.size() - below.size());
    if (machine.plan.cgroup.path != unit_.cgroup) {
        // A drop-in or the service manager of a user puts it where the plan could not know.
        machine.plan.cgroup.path = unit_.cgroup;
        machine.record.cgroup = cat(machine.cgroup_root, "/", unit_.cgroup);
        TRY(replace_file_at(machine.claim.directory(), "plan", launch::encode(machine.plan), 0600));
    }
    for (const char* file : {"exit", "stop"}) unlinkat(machine.claim.directory(), file, 0);
    return machine.claim.write(machine.record);
}

// The last reader of the console, for whoever attaches: croft-hold, which ends with the console.
Result<> UnitLaunch::keep_console(Prepared& machine, run::Launched& launched) {
    run::HoldOptions hold;
    hold.name = name_;
    hold.helper_directory = paths_.helpers;
    hold.directory = TRY(open_at(machine.claim.directory(), ".", O_RDONLY | O_DIRECTORY));
    if (wants_console_ && starter_) hold.client = Fd(dup(starter_.get()));
    hold.unit = true;
    pid_t pid = fork();
    if (pid < 0) return os_error(errno, "starting the console's keeper");
    if (pid > 0) return {};
    setsid();
    Error failed = run::become_hold(std::move(launched), std::move(hold));
    warn(failed.text);
    _exit(1);
}

// A payload that is root of the host too may not speak with systemd; what it says of its readiness is passed on.
Result<> UnitLaunch::wait_ready(Prepared& machine, run::Launched& launched) {
    if (!launched.notify || !machine.record.waits_ready) return {};
    for (;;) {
        pollfd watched[] = {{launched.notify.get(), POLLIN, 0}, {launched.pidfd.get(), POLLIN, 0}};
        if (poll(watched, 2, -1) < 0 && errno != EINTR) return os_error(errno, "waiting for READY=1");
        if (watched[0].revents && run::receive_ready(launched.notify.get(), launched.pid)) {
            TRY(notify_systemd("READY=1"));
            return notify_barrier();
        }
        // systemd has its exit status, and says so.
        if (watched[1].revents) return {};
    }
}

// While the payload's process waits: systemd takes as main process only one that lives, and then tells of its end. The
// locks must be systemd's before that; after it, this process is nobody whom systemd listens to. So READY=1 goes along
// where nobody else will say it, and means that the payload is there and about to be executed.
Result<> UnitLaunch::make_main(Prepared& machine, pid_t payload) {
    machine.record.leader = {payload, process_start(payload).value_or(0)};
    machine.record.started = realtime_now();
    TRY(machine.claim.write(machine.record));
    std::vector<int> locks = machine.locks();
    for (const Fd& lock : locks_) locks.push_back(lock.get());
    if (!kept_already_) TRY(notify_systemd(cat("FDSTORE=1\nFDPOLL=0\n", lock_name), locks));
    TRY(notify_systemd(cat("MAINPID=", payload, machine.record.waits_ready ? "" : "\nREADY=1")));
    return notify_barrier();
}

Result<> UnitLaunch::tell_starter(run::Launched& launched) {
    if (!starter_) return {};
    TRY(send_launched(starter_.get(), launched.pid));
    if (wants_console_ && launched.console) TRY(run::send_console(starter_.get(), launched.console.get()));
    return {};
}

Result<> UnitLaunch::perform(Prepared& machine) {
    run::LaunchEnvironment environment = TRY(machine.environment());
    environment.sibling = true;
    for (size_t i = 0; i < streams_.size(); ++i) environment.stdio[i] = streams_[i].get();
    if (streams_.empty()) environment.stdio[0] = -1;
    // The payload's pings keep the unit's watchdog quiet; it finds itself as process 1.
    const char* watchdog = getenv("WATCHDOG_USEC");
    if (machine.plan.boot && watchdog) {
        machine.plan.process.env.push_back(cat("WATCHDOG_USEC=", watchdog));
        machine.plan.process.env.push_back("WATCHDOG_PID=1");
    }
    // With the payload, systemd ends this process too.
    environment.failed = [this](const Error& error) {
        if (starter_) send_failure(starter_.get(), error);
        starter_.reset();
    };
    environment.cloned = [&](pid_t payload) { return make_main(machine, payload); };
    run::Launched launched = TRY(run::launch(machine.plan, environment));
    tell_event(paths_, {.machine = name_, .event = Event::started, .leader = launched.pid});
    // It runs. What goes wrong from here on is no reason to end it, and the starter may be gone already.
    machine.keep();
    if (Result<> told = tell_starter(launched); !told) debug(told.error().text);
    if (launched.console)
        if (Result<> kept = keep_console(machine, launched); !kept) warn(kept.error().text);
    starter_.reset();
    registers_ = machine.record.boot || machine.record.detached || machine.record.terminal;
    return wait_ready(machine, launched);
}

// systemd-machined is told over D-Bus, which this program does not speak. When this fails, the machine is well all the
// same. A command that ends in a moment is not worth it.
void UnitLaunch::become_registrar() const {
    std::string program = paths_.helpers + "/croft-systemd";
    unsetenv("NOTIFY_SOCKET");
    execl(program.c_str(), program.c_str(), "_register", name_.c_str(), nullptr);
    warn(cat("executing ", quoted(program), ": ", errno_text(errno), "; the machine is not registered"));
}

Result<> UnitLaunch::run() {
    auto machine = take();
    Result<> done = machine ? write_down(*machine) : Result<>(std::move(machine).error());
    if (done) done = perform(*machine);
    if (!done && starter_) send_failure(starter_.get(), done.error());
    if (done && registers_ && access("/run/systemd/machines", F_OK) == 0) become_registrar();
    return done;
}

}  // namespace

Result<> launch_in_unit(const Paths& paths, const std::string& name) {
    if (!may_notify())
        return error(Errc::wrong_state, cat("only systemd starts this; `croft start ", name, "` asks it to"));
    OwnUnit unit = TRY(own_unit());
    return UnitLaunch(paths, name, std::move(unit)).run().within(cat("starting machine ", quoted(name)));
}

}  // namespace croft::manager
