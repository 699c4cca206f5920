#include "manager/leader.h"

#include <dirent.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

#include "base/signals.h"
#include "base/text.h"

namespace croft::manager {
namespace {

uint64_t clock_now(clockid_t clock) {
    timespec now = {};
    clock_gettime(clock, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

std::string command_name(std::string_view pid) {
    auto text = read_file_at(AT_FDCWD, cat("/proc/", pid, "/comm").c_str(), 256);
    return text ? std::string(trim(*text)) : std::string("gone");
}

// Calls `take` with each pid of a group and the groups below it, until it returns false.
bool each_process(const std::string& cgroup, const std::function<bool(std::string_view)>& take,
                  int depth = 0) {
    if (cgroup.empty() || depth > 32) return true;
    if (auto text = read_file_at(AT_FDCWD, (cgroup + "/cgroup.procs").c_str(), 1 << 22))
        for (const std::string& pid : split(*text, '\n'))
            if (!pid.empty() && !take(pid)) return false;
    DIR* dir = opendir(cgroup.c_str());
    if (!dir) return true;
    bool more = true;
    while (dirent* entry = more ? readdir(dir) : nullptr)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            more = each_process(cat(cgroup, "/", entry->d_name), take, depth + 1);
    closedir(dir);
    return more;
}

}  // namespace

uint64_t monotonic_now() {
    return clock_now(CLOCK_MONOTONIC);
}
uint64_t realtime_now() {
    return clock_now(CLOCK_REALTIME);
}

Result<Fd> open_process(const ProcessId& process) {
    if (process.pid <= 1) return error(Errc::not_found, "it has no process");
    Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0)));
    if (!pidfd && errno != ESRCH) return os_error(errno, cat("opening process ", process.pid));
    // The start time is read after the pidfd was opened: if it fits, the pidfd is of that process.
    if (!pidfd || process_start(process.pid) != process.start)
        return error(Errc::not_found, cat("its process ", process.pid, " has ended"));
    return pidfd;
}

Result<> send_signal(int pidfd, int signal) {
    if (syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0) return {};
    if (errno == ESRCH) return error(Errc::not_found, "its process has ended");
    return os_error(errno, cat("sending ", signal_name(signal)));
}

bool wait_gone(int pidfd, uint64_t timeout) {
    uint64_t end = monotonic_now() + timeout;
    for (;;) {
        uint64_t now = monotonic_now();
        int wait = -1;
        if (timeout != UINT64_MAX)
            wait = now >= end ? 0 : static_cast<int>(std::min<uint64_t>((end - now) / 1000 + 1, 1 << 30));
        pollfd watched = {pidfd, POLLIN, 0};
        int n = poll(&watched, 1, wait);
        if (n > 0) return true;
        if (n == 0 && monotonic_now() >= end) return false;
    }
}

bool handles_signal(int pid, uint32_t signal) {
    if (signal == SIGKILL || signal == SIGSTOP) return true;
    auto text = read_file_at(AT_FDCWD, cat("/proc/", pid, "/status").c_str(), 1 << 16);
    if (!text || signal < 1 || signal > 64) return true;
    // Caught by a handler, or blocked, which is how one is read from a signalfd or by sigwait(3).
    uint64_t bit = 1ull << (signal - 1);
    bool known = false;
    for (const std::string& line : split(*text, '\n')) {
        if (!line.starts_with("SigBlk:") && !line.starts_with("SigCgt:")) continue;
        auto mask = parse_uint(trim(std::string_view(line).substr(7)), 16);
        known = true;
        if (!mask || (*mask & bit)) return true;
    }
    return !known;
}

Result<Fd> open_root(const ProcessId& process) {
    Fd pidfd = TRY(open_process(process));
    Fd root = TRY(open_at(AT_FDCWD, cat("/proc/", process.pid, "/root").c_str(), O_PATH | O_DIRECTORY));
    if (process_start(process.pid) != process.start) return error(Errc::not_found, "its process has ended");
    return root;
}

std::vector<std::string> processes_in(const std::string& cgroup, size_t most) {
    std::vector<std::string> out;
    each_process(cgroup, [&](std::string_view pid) {
        out.push_back(cat(pid, " (", command_name(pid), ")"));
        return out.size() < most;
    });
    return out;
}

size_t count_processes(const std::string& cgroup) {
    size_t count = 0;
    each_process(cgroup, [&](std::string_view) { return ++count < 1u << 20; });
    return count;
}

}  // namespace croft::manager
