// A machine's first process, held so that nothing is done to another process that got its number later: a
// pidfd is opened first, then the start time is compared with the record. Called within manager/ only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "manager/record.h"

namespace croft::manager {

// A pidfd of this very process; not_found when it has ended.
Result<Fd> open_process(const ProcessId& process);
Result<> send_signal(int pidfd, int signal);
// Waits until the process has ended; false after `timeout` µs (UINT64_MAX: waits for ever).
bool wait_gone(int pidfd, uint64_t timeout);

// Would this signal have any effect on a PID 1? The kernel drops what a namespace's init neither catches nor
// waits for, SIGKILL aside, so a stop that sends it would only waste its timeout.
bool handles_signal(int pid, uint32_t signal);

// The root directory as this process sees it (O_PATH), checked to be still this process's.
Result<Fd> open_root(const ProcessId& process);

// "123 (postgres)" for each process of a control group and those below it.
std::vector<std::string> processes_in(const std::string& cgroup, size_t most = 16);
size_t count_processes(const std::string& cgroup);

uint64_t monotonic_now();  // µs
uint64_t realtime_now();   // µs since the epoch

}  // namespace croft::manager
