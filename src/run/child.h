// The payload's side of a launch: from the clone to exec, with prepared memory and bare system calls only.
#pragma once

#include <linux/filter.h>

#include <csignal>
#include <vector>

#include "kernel/raw.h"
#include "run/context.h"

namespace croft::run {

// The fault walk (launch.h): points are counted over the whole launch.
struct Faults {
    uint32_t fail_at = UINT32_MAX, kill_at = UINT32_MAX;
    int error = EIO;
    long before(uint32_t point) const { return point == fail_at ? -error : 0; }
    void after(uint32_t point) const {
        if (point == kill_at) kernel::raw(SYS_kill, kernel::raw(SYS_getpid), SIGKILL);
    }
};
// How many points the process part has: one for each of its stages.
extern const uint32_t process_points;

// Everything the child needs, made by the parent before the clone.
struct Prepared {
    Prepared(const launch::Process& process, bool init);
    const launch::Process& process;
    std::vector<const char*> argv, envp;  // end in nullptr
    int init = -1;                        // croft-init, from a read-only mount
    int streams[3] = {0, 1, 2};           // -1: /dev/null of the machine
    sock_fprog filter = {};
    uint32_t filter_flags = 0;
    bool wait_for_go = false;             // the parent has something to do to us first
    bool user_namespace = false;          // become its root after that
    uint64_t unshare = 0;                 // CLONE_NEWCGROUP: rooted where the child is, not where its parent is
    uint32_t first_point = 0;             // of inside[0], for the fault walk
    Faults faults;
    long launcher = 0;                    // who is killed when the fault walk says so
};

// Performs plan.inside and the process and executes. Ends by exec, or by reporting a StepFailure over context.sync.
[[noreturn]] void become_payload(const Prepared& prepared, Context& context);

// What travels over the sync socket besides 'c' with a terminal's master.
struct FailureMessage {
    char kind = 'f';
    launch::StepFailure failure;
};
inline constexpr char go_byte = 'g';

}  // namespace croft::run
