// The gate: a payload that is ready but for exec waits at it, long after its launcher is gone, until another
// process opens it.
//
// It is two FIFOs in the machine's directory. croft-init, in the payload's process, holds both and reads one
// byte from `gate`; what then goes wrong it writes to `gate-answer`, whose end of file is exec's success
// (both are closed by it). So nothing of croft's stays but that process itself, a few pages from a read-only
// mount, and the kernel knows whether somebody still waits: a FIFO that nobody reads cannot be opened for
// writing.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

// For LaunchEnvironment::gate and gate_answer, as long as launch() runs.
struct Gate {
    Fd gate, answer;
};
// Makes both in the machine's directory; ones that are there are replaced.
Result<Gate> make_gate(int directory);
void remove_gate(int directory);

// Opens the gate once and for all and returns when the payload has executed. Of several at a time one
// succeeds.
//   wrong_state     nobody waits: opened before, or the payload's process has ended; the error says which
//   no_command, not_executable   exec's own failure: the process has ended
//   failed          a startContainer hook of the plan failed: the process has ended
Result<> open_gate(int directory, const launch::LaunchPlan& plan);
// Whether somebody waits at it.
bool waits_at_gate(int directory);

}  // namespace croft::run
