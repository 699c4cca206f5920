#include "manager/scope.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "base/fd.h"
#include "base/text.h"
#include "manager/leader.h"
#include "manager/supervisor.h"
#include "manager/unit_start.h"

namespace croft::manager {

namespace {
constexpr uint64_t patience = 30'000'000;  // µs that systemd may take

Result<pid_t> fork_keeper() {
    pid_t caller = getpid(), pid = fork();
    if (pid < 0) return os_error(errno, "making a process for the scope");
    if (pid > 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int signal = 1; signal < 32; ++signal) ::signal(signal, SIG_DFL);
    if (getppid() != caller) _exit(0);
    for (;;) pause();
}

Result<> wait_for(Job job, const std::string& unit) {
    Supervisor& systemd = *supervisor();
    for (uint64_t until = monotonic_now() + patience;;) {
        JobEnd end = TRY(systemd.job_end(job));
        if (end == JobEnd::done) return {};
        if (end == JobEnd::failed)
            return error(Errc::failed, cat("systemd did not make ", unit, " (systemctl status ", unit, ")"));
        uint64_t now = monotonic_now();
        if (now >= until) return error(Errc::timeout, cat("systemd does not make ", unit, " (systemctl list-jobs)"));
        pollfd watched = {systemd.fd(), POLLIN, 0};
        if (poll(&watched, 1, static_cast<int>((until - now) / 1000 + 1)) < 0 && errno != EINTR)
            return os_error(errno, "waiting for systemd");
    }
}

Result<std::string> group_of(pid_t pid) {
    std::string text = TRY(read_file_at(AT_FDCWD, cat("/proc/", pid, "/cgroup").c_str()));
    for (const std::string& line : split(text, '\n'))
        if (line.starts_with("0::/")) return line.substr(4);
    return error(Errc::unsupported, "systemd makes no groups of cgroup2 here");
}
}  // namespace

ScopeKeeper::ScopeKeeper(ScopeKeeper&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), group_(std::move(other.group_)) {}

ScopeKeeper& ScopeKeeper::operator=(ScopeKeeper&& other) noexcept {
    if (this != &other) {
        let_go();
        pid_ = std::exchange(other.pid_, -1), group_ = std::move(other.group_);
    }
    return *this;
}

void ScopeKeeper::let_go() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
}

Result<ScopeKeeper> start_scope(launch::UnitPlan unit) {
    ScopeKeeper out;
    out.pid_ = TRY(fork_keeper());
    unit.service.emplace_back("PIDs", cat(out.pid_));
    Job job = TRY(start_when_free(*supervisor(), unit, Pin::no));
    TRY(wait_for(job, unit.name));
    out.group_ = TRY(group_of(out.pid_));
    return out;
}

}  // namespace croft::manager
