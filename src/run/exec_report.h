// What croft-init says to the launcher: one message on the socket it is given by --report=FD. Plain C, because croft-init
// has no library below it.
//
//   x  the payload cannot be executed. Silence and end of file mean success.
//   w  it waits at the gate (run/gate.h); a byte back lets it stop listening to the launcher. After that whatever goes
//      wrong is written to the gate's answer.
//   h  a startContainer hook failed: `hook` is its place in the list, `error` the status of wait4(2), -1 for one that
//      did not end in its time, or hook_errno_base + errno
#pragma once

#include <stdint.h>

namespace croft::run {

struct ExecReport {
    char kind = 'x';
    char there = 0;     // the file exists (its interpreter does not, or it cannot be executed)
    uint16_t hook = 0;
    int32_t error = 0;  // errno
};
inline constexpr int32_t hook_timed_out = -1, hook_errno_base = 1000000;

// The hooks are handed over in a file (--hooks=FD) of words that end in NUL: how many hooks, then for each its timeout,
// path, how many arguments, the arguments, how many variables, the variables.
inline constexpr int most_hook_words = 1000;

}  // namespace croft::run
