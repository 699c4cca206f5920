// The payload's side of a launch: from the clone to exec, with prepared memory and bare system calls only.
#pragma once

#include <linux/filter.h>

#include <cerrno>
#include <string>
#include <vector>

#include "base/fd.h"
#include "run/context.h"

namespace croft::run {

// The fault walk (launch.h): points are counted over the whole launch.
struct Faults {
    uint32_t fail_at = UINT32_MAX, kill_at = UINT32_MAX;
    int error = EIO;
    long before(uint32_t point) const { return point == fail_at ? -error : 0; }
};
// How many points the process part has: one for each of its stages.
inline constexpr uint32_t process_points = 18;

// Everything the child needs, made by the parent before the clone.
struct Prepared {
    explicit Prepared(const launch::Process& process);
    // Lets croft-init make the last exec: as the machine's init (process.init), or just in between, so that
    // /proc/self/exe in the tree (as a link, or behind #!) is never this program (CVE-2019-5736). It is also
    // what waits at the gate and runs startContainer hooks: `handed` is set before.
    void use_init(Fd program, int sync);
    const launch::Process& process;
    std::vector<const char*> argv, envp;  // end in nullptr
    std::vector<std::string> words;       // what croft-init is told in front
    std::vector<unsigned long> nodes;     // process.memory_policy_nodes as bits
    Fd init_file;
    // Descriptors that croft-init is handed, -1 for none.
    struct Handed {
        int sync = -1, gate = -1, answer = -1, hooks = -1, state = -1;
    } handed;
    uint32_t preserve_fds = 0;
    int init = -1;               // croft-init, from a read-only mount
    int streams[3] = {0, 1, 2};  // -1: /dev/null of the machine
    sock_fprog filter = {};
    uint32_t filter_flags = 0;
    bool wait_for_go = false;     // the parent has something to do to us first
    bool user_namespace = false;  // become its root after that
    uint64_t unshare = 0;         // CLONE_NEWCGROUP: rooted where the child is, not where its parent is
    uint32_t first_point = 0;     // of inside[0], for the fault walk
    Faults faults;
};

// Performs plan.inside and the process and executes. Ends by exec, or by reporting a StepFailure over
// context.sync.
[[noreturn]] void become_payload(const Prepared& prepared, Context& context);

// What travels over the sync socket besides 'c' with a terminal's master, 'k' (the fault walk: die now) and
// croft-init's 'x' and 'w' (run/exec_report.h). 'h' and 'l' ask for something and wait for a byte back: to
// run the createContainer hooks, to hand on the descriptor of a filter's listener.
struct FailureMessage {
    char kind = 'f';
    launch::StepFailure failure;
    char reason[sizeof Context::reason] = {};  // the kernel's own sentence, where it had one
};
struct ListenerMessage {
    char kind = 'l';
    int32_t descriptor = -1;  // in the payload's process
};
inline constexpr char go_byte = 'g';

}  // namespace croft::run
