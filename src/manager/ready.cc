#include "manager/ready.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>

#include "base/text.h"
#include "manager/detached.h"
#include "manager/handover.h"
#include "manager/leader.h"
#include "manager/unit_start.h"
#include "run/hold.h"

namespace croft::manager {
namespace {

Result<Fd> end_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    Fd fd(signalfd(-1, &signals, SFD_CLOEXEC));
    if (!fd) return os_error(errno, "waiting for signals");
    return fd;
}

// The signals that the launcher and its payload shall find are those that the caller had.
void unblock_signals() {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Until somebody says "launch": then the pipe by which he waits for it. Nothing: all is to be given back.
std::optional<Fd> wait_for_word(int listening, int signals) {
    for (;;) {
        pollfd wanted[] = {{listening, POLLIN, 0}, {signals, POLLIN, 0}};
        if (poll(wanted, 2, -1) < 0) continue;
        if (wanted[1].revents) return std::nullopt;
        Fd peer(accept4(listening, nullptr, nullptr, SOCK_CLOEXEC));
        if (!peer) continue;
        // The message that carries a console elsewhere: one byte, one descriptor.
        if (auto status = run::receive_console(peer.get())) return std::move(*status);
    }
}

// Where machines are units, it is systemd's from here on.
void launch_unit(Prepared& machine, Fd status) {
    Result<> written = machine.claim.write(machine.record);
    unlinkat(machine.claim.directory(), "attach", 0);
    auto started = written ? start_unit(machine, Streams::journal, false)
                           : Result<UnitStart>(std::move(written).error());
    if (!started) return send_error(status.get(), started.error());
    machine.keep();
    (void)send_leader(status.get(), started->leader);
}

// The keeper's life. What `machine` holds is given back at its end, unless croft-hold has taken over.
void keep_ready(Prepared& machine, Fd told) {
    auto begin = [&]() -> Result<std::pair<Fd, Fd>> {
        Fd signals = TRY(end_signals());
        Fd listening = TRY(run::listen_attach(machine.claim.directory()));
        machine.record.prepared = true;
        machine.record.keeper = {getpid(), process_start(getpid()).value_or(0)};
        TRY(machine.claim.write(machine.record));
        return std::pair(std::move(signals), std::move(listening));
    };
    auto ends = begin();
    if (!ends) return send_error(told.get(), ends.error());
    told.reset();
    drop_streams();
    auto status = wait_for_word(ends->second.get(), ends->first.get());
    if (!status) return;
    ends->first.reset(), ends->second.reset();
    unblock_signals();
    machine.record.prepared = false;
    if (!machine.record.unit.empty()) return launch_unit(machine, std::move(*status));
    Fd copy(fcntl(status->get(), F_DUPFD_CLOEXEC, 3));
    Error failed = launch_and_hold(machine, std::move(*status), Fd());
    send_error(copy.get(), failed);
}

}  // namespace

Result<> hold_ready(Prepared machine) {
    Pipe status = TRY(make_pipe());
    pid_t keeper = fork();
    if (keeper < 0) return os_error(errno, "starting the machine's keeper");
    if (keeper == 0) {
        setsid();
        status.read.reset();
        {
            Prepared mine = std::move(machine);
            keep_ready(mine, std::move(status.write));
        }
        _exit(0);
    }
    status.write.reset();
    std::string told = TRY(read_all(status.read.get()).within("waiting for the machine's keeper"));
    auto record = read_file_at(machine.claim.directory(), "record");
    bool kept = told.empty() && record && record->find("\nprepared=yes\n") != std::string::npos;
    // Its locks are ours too until this object goes; what it holds is the keeper's to give back.
    machine.keep();
    if (kept) return {};
    waitpid(keeper, nullptr, 0);
    return told.empty() ? error(Errc::failed, "the machine's keeper was killed") : unpack_error(told);
}

Result<int> launch_ready(int directory) {
    Fd connection = TRY(run::connect_attach(directory));
    Pipe status = TRY(make_pipe());
    TRY(run::send_console(connection.get(), status.write.get()));
    status.write.reset();
    return await_launched(std::move(status.read));
}

Result<> give_back(const Machine& machine) {
    Fd keeper = TRY(open_process(machine.record.keeper));
    TRY(send_signal(keeper.get(), SIGTERM));
    if (!wait_gone(keeper.get(), 10'000'000))
        return error(Errc::timeout, cat("its keeper (", machine.record.keeper.pid, ") does not end"));
    return {};
}

}  // namespace croft::manager
