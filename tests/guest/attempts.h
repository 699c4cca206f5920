// An attempt: one thing a payload may try against its fences. Returns 0 when it succeeded, else the errno.
#pragma once

#include <string>

namespace guest {

struct Attempt {
    const char* name;
    int (*run)();
};
// attempts_calls.cc, attempts_files.cc; ended by a null name. Each runs in a child of its own.
extern const Attempt call_attempts[], file_attempts[];
// A fresh directory for the attempt that runs, removed with all in it afterwards.
extern std::string attempt_place;

}  // namespace guest
