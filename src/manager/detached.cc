#include "manager/detached.h"

#include <linux/close_range.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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
#include "kernel/clone.h"
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

namespace {

// A keeper in the making works in its maker's memory (CLONE_VM | CLONE_VFORK): a copy of it would cost a tenth of the whole
// start, mostly in pages that both change. Its maker sleeps until it has become croft-hold or has ended, and finds
// the memory in order then: the keeper comes to its end in here, or executes. Descriptors are two tables, in which
// the same objects of this memory have the same numbers; so what the keeper opens, only its own frames hold.
struct Making {
    Prepared& machine;
    int status, ready, client;
    std::string program;  // and what its maker needs where it was killed halfway
    std::string failure;
    std::vector<const char*> words;
};

int make_keeper(void* argument) {
    auto* making = static_cast<Making*>(argument);
    setsid();
    signal(SIGHUP, SIG_DFL);
    // Further descriptors of the caller's too: a pipe that it had at 3 would never end for its reader.
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    Fd copy(fcntl(making->status, F_DUPFD_CLOEXEC, 3));
    KeeperEnds ends = {Fd(making->status), Fd(making->ready), Fd(making->client)};
    (void)write_all(copy.get(), pack_error(launch_and_hold(making->machine, std::move(ends))));
    return 1;  // the parent clears what was taken
}

// Whoever shares memory with another can neither make nor enter a time namespace.
bool may_share_memory(const launch::LaunchPlan& plan) {
    uint64_t types = plan.new_namespaces;
    for (const launch::JoinNamespace& joined : plan.join) types |= joined.type;
    return !(types & CLONE_NEWTIME);
}

Result<pid_t> clone_keeper(Making& making) {
    constexpr size_t stack_size = 1 << 20;
    void* stack = mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) return os_error(errno, "starting the machine's keeper");
    clone_args args = {};
    args.flags = CLONE_VFORK | (may_share_memory(making.machine.plan) ? CLONE_VM : 0);
    args.exit_signal = SIGCHLD;
    long pid = kernel::clone_run(args, stack, stack_size, make_keeper, &making);
    munmap(stack, stack_size);
    if (pid < 0) return os_error(static_cast<int>(-pid), "starting the machine's keeper");
    return static_cast<pid_t>(pid);
}

// The keeper was killed before it had a word to say, so this memory may be in the middle of a change: nothing here takes or
// gives back any. Another croft clears what was taken, whose locks end here.
[[noreturn]] void leave_clearing(const Making& making) {
    close_range(3, ~0U, 0);
    pid_t pid = vfork();
    if (pid == 0) {
        execve(making.program.c_str(), const_cast<char**>(making.words.data()), environ);
        _exit(1);
    }
    while (pid > 0 && waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    (void)!write(2, making.failure.data(), making.failure.size());
    _exit(125);
}

// Whether there is something to read; the writer has ended or closed its end by now.
bool has_spoken(int pipe) {
    int count = 0;
    return ioctl(pipe, FIONREAD, &count) == 0 && count > 0;
}

}  // namespace

Result<KeptStart> start_detached(Prepared& machine, Attach attach) {
    Fd ours, theirs;
    if (attach == Attach::yes) std::tie(ours, theirs) = TRY(run::attach_pair());
    Pipe status = TRY(make_pipe()), ready;
    if (machine.plan.boot) ready = TRY(make_pipe());
    TRY(machine.environment());  // what it keeps open is open on both sides
    set_environment(machine.paths);
    const std::string& name = machine.record.name;
    Making making = {machine, status.write.get(), ready.write.get(), theirs.get(), own_path(), {}, {}};
    making.failure = cat("croft: starting machine ", quoted(name), ": the launching process was killed\n");
    making.words = {"croft", "_cleanup", name.c_str(), nullptr};
    const pid_t keeper = TRY(clone_keeper(making));
    if (!has_spoken(status.read.get())) leave_clearing(making);
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
