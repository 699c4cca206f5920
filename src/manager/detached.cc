#include "manager/detached.h"

#include <linux/close_range.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <tuple>

#include "base/log.h"
#include "base/text.h"
#include "manager/events.h"
#include "manager/handover.h"
#include "manager/leader.h"
#include "base/lock_file.h"
#include "manager/watch.h"
#include "run/hold.h"
#include "run/relay.h"

namespace croft::manager {
namespace {

std::string own_path() {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    return n > 0 ? std::string(path, static_cast<size_t>(n)) : "/usr/bin/croft";
}

Result<> record_launched(Prepared& machine, pid_t leader) {
    machine.record.keeper = {getpid(), process_start(getpid()).value_or(0)};
    machine.record.leader = {leader, process_start(leader).value_or(0)};
    machine.record.started = realtime_now();
    TRY(machine.claim.write(machine.record));
    tell_event(machine.paths, {.machine = machine.record.name, .event = Event::started, .leader = leader});
    return {};
}

Result<run::HoldOptions> hold_options(Prepared& machine) {
    run::HoldOptions hold;
    hold.name = machine.record.name;
    hold.helper_directory = machine.paths.helpers;
    hold.croft = own_path();
    hold.directory = TRY(open_at(machine.claim.directory(), ".", O_RDONLY | O_DIRECTORY));
    hold.lock = Fd(dup(machine.claim.lock()));
    hold.stop_signal = machine.plan.stop_signal;
    hold.boot = machine.plan.boot;
    hold.has_cleanup = machine.record.remove || !machine.plan.cleanup.remove_trees.empty();
    return hold;
}

// For the croft that croft-hold executes: the same directories, whoever it is by then.
void set_environment(const Paths& paths) {
    if (paths.system) return;
    setenv("CROFT_SCOPE", "user", 1);
    setenv("CROFT_RUN_DIR", paths.run.c_str(), 1);
    setenv("CROFT_STATE_DIR", paths.state.c_str(), 1);
    setenv("CROFT_CACHE_DIR", paths.cache.c_str(), 1);
}

}  // namespace

void drop_streams() {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd < 3; ++fd) dup2(null, fd);
    if (null > 2) close(null);
    (void)!chdir("/");
}

// An error on its way through a pipe: code, errno, text.
void send_error(int fd, const Error& e) {
    (void)write_all(fd, pack_error(e));
}

Result<> send_leader(int fd, int leader) {
    return write_all(fd, cat("L", leader));
}

Result<int> await_launched(Fd status) {
    std::string told = TRY(read_all(status.get()).within("waiting for the machine's keeper"));
    size_t failure = told.find('E');
    if (failure != told.npos) return unpack_error(std::string_view(told).substr(failure));
    auto leader = told.starts_with('L') ? parse_uint(std::string_view(told).substr(1)) : std::nullopt;
    if (!leader) return error(Errc::failed, "the launching process was killed");
    return static_cast<int>(*leader);
}

Error launch_and_hold(Prepared& machine, KeeperEnds ends) {
    auto environment = machine.environment();
    if (!environment) return std::move(environment).error();
    auto hold = hold_options(machine);
    if (!hold) return std::move(hold).error();
    Pipe output;
    if (!machine.plan.process.terminal) {
        auto pipe = make_pipe();
        if (!pipe) return std::move(pipe).error();
        output = std::move(*pipe);
        // One pipe for both, because the log is one: so their lines stay in the order in which they were written.
        environment->stdio[0] = -1;
        environment->stdio[1] = environment->stdio[2] = output.write.get();
    }
    auto launched = run::launch(machine.plan, *environment);
    if (!launched) return std::move(launched).error();
    output.write.reset();
    Result<> written = record_launched(machine, launched->pid);
    if (written && ends.client) written = run::send_console(ends.client.get(), launched->console.get());
    if (written && ends.status) written = send_leader(ends.status.get(), launched->pid);
    if (!written) {
        run::undo(*launched);
        return std::move(written).error();
    }
    hold->client = std::move(ends.client), hold->ready = std::move(ends.ready);
    hold->output = std::move(output.read);
    machine.make_inheritable();
    set_environment(machine.paths);
    drop_streams();
    Fd pidfd(dup(launched->pidfd.get()));
    Error failed = run::become_hold(std::move(*launched), std::move(*hold));
    (void)send_signal(pidfd.get(), SIGKILL);
    waitpid(machine.record.leader.pid, nullptr, 0);
    return failed;
}

Result<KeptStart> start_detached(Prepared& machine, Attach attach) {
    Fd ours, theirs;
    if (attach == Attach::yes) std::tie(ours, theirs) = TRY(run::attach_pair());
    Pipe status = TRY(make_pipe()), ready;
    if (machine.plan.boot) ready = TRY(make_pipe());
    pid_t keeper = fork();
    if (keeper < 0) return os_error(errno, "starting the machine's keeper");
    if (keeper == 0) {
        setsid();
        signal(SIGHUP, SIG_DFL);
        // Further descriptors of the caller's too: a pipe that it had at 3 would never end for its reader.
        close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        int told = status.write.get();
        Fd copy(fcntl(told, F_DUPFD_CLOEXEC, 3));
        status.read.reset(), ready.read.reset(), ours.reset();
        KeeperEnds ends = {std::move(status.write), std::move(ready.write), std::move(theirs)};
        (void)write_all(copy.get(), pack_error(launch_and_hold(machine, std::move(ends))));
        _exit(1);  // the parent clears what was taken
    }
    status.write.reset(), ready.write.reset(), theirs.reset();
    auto leader = await_launched(std::move(status.read));
    if (leader) return KeptStart{*leader, keeper, std::move(ours), std::move(ready.read)};
    waitpid(keeper, nullptr, 0);
    return std::move(leader).error();
}

namespace {

// The relay's further descriptor: says once that the machine is ready.
class ReadyWatch {
  public:
    ReadyWatch(const AttachOptions& options, run::RelayOptions& relay)
        : options_(options), watch_(options.directory) {
        relay.changes = watch_.fd();
        relay.changed = [this] { look(); };
    }

  private:
    void look() {
        watch_.take();
        if (told_ || !exists_at(options_.directory, "ready")) return;
        told_ = true;
        options_.ready();
    }
    const AttachOptions& options_;
    Watch watch_;
    bool told_ = false;
};

}  // namespace

Result<Fd> connect_again(int directory) {
    Fd lock = TRY(open_at(directory, "lock", O_RDONLY));
    for (int tries = 0; tries < 1000; ++tries) {
        auto connection = run::connect_attach(directory);
        if (connection) return connection;
        if (!is_locked(lock.get()) || exists_at(directory, "exit")) break;
        timespec pause = {0, 20'000'000};
        nanosleep(&pause, nullptr);
    }
    return error(Errc::wrong_state, "the machine has ended");
}

Result<launch::Outcome> attach_console(Fd connection, const AttachOptions& options) {
    run::SignalTrap signals = TRY(run::SignalTrap::set());
    run::RelayOptions relay;
    if (!options.detach_keys.empty()) relay.detach_keys = TRY(run::parse_detach_keys(options.detach_keys));
    relay.pid1 = options.boot;
    std::optional<ReadyWatch> ready;
    if (options.ready) ready.emplace(options, relay);
    run::RawTerminal raw = TRY(run::RawTerminal::set(0));
    for (;;) {
        Fd console = TRY(run::receive_console(connection.get()));
        relay.console = console.get(), relay.link = connection.get();
        run::RelayEnd end = TRY(run::relay(signals, relay));
        if (end.detached) return launch::Outcome{};
        if (end.outcome.kind != launch::Outcome::Kind::running) return std::move(end.outcome);
        // The keeper went away without a last word.
        auto again = connect_again(options.directory);
        if (!again && options.ended) return options.ended();
        if (!again) return launch::Outcome{launch::Outcome::Kind::exited, 0, "its keeper is gone"};
        connection = std::move(*again);
    }
}

}  // namespace croft::manager
