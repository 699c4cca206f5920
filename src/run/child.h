// The payload's side of a launch: from the clone to exec, with prepared memory and bare system calls only.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "run/context.h"

namespace croft::run {

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
    int first_step = 0;                   // index of inside[0] over the three lists, for the fault walk
    int fail_at = -1, kill_at = -1;
};

// Performs plan.inside and the process and executes. Ends by exec, or by reporting a StepFailure over context.sync.
[[noreturn]] void become_payload(const Prepared& prepared, Context& context);

// What travels over the sync socket besides 'c' with a terminal's master.
struct FailureMessage {
    char kind = 'f';
    launch::StepFailure failure;
};
inline constexpr char go_byte = 'g';

// Whether this step is the one that a fault walk wants to fail (an errno) or be killed at.
long injected(int index, int fail_at, int kill_at);

}  // namespace croft::run
