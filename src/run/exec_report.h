// What croft-init says to the launcher when it cannot execute the payload: one message on the socket it is
// given by
// --report=FD. Plain C, because croft-init has no library below it. Silence and end of file mean success.
#pragma once

#include <stdint.h>

namespace croft::run {

struct ExecReport {
    char kind = 'x';
    char there = 0;     // the file exists (its interpreter does not, or it cannot be executed)
    int32_t error = 0;  // errno
};

}  // namespace croft::run
