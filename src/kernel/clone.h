// clone: a new process that runs one function on a stack of its own.
//
// Who may call it: run/. The child may share the caller's memory (CLONE_VM), which makes starting it
// independent of the caller's size (40 µs instead of 100 µs and more) and lets both work on prepared data;
// the price is the rule of kernel/raw.h: bare system calls only, until exec or exit.
#pragma once

#include <linux/sched.h>

#include <cstddef>

namespace croft::kernel {

// Not under AddressSanitizer, which keeps the books of one stack a thread in memory that would be shared.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool clone_shares_memory = false;
#else
inline constexpr bool clone_shares_memory = true;
#endif

// Makes a process with clone3; in it, `run(argument)` is called on `stack` and its result becomes the exit
// status. Returns the child's pid, or -errno. The stack must stay untouched until the child has executed or
// ended. Where clone_shares_memory is false the process is an ordinary copy: no memory is shared, the stack is not used.
long clone_run(clone_args args, void* stack, size_t stack_size, int (*run)(void*), void* argument);

}  // namespace croft::kernel
