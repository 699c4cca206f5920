#include "kernel/clone.h"

#include <cstdint>

#include "kernel/raw.h"

namespace croft::kernel {

// The child returns from the system call on the new stack, on which this function has no frame: so the call
// of `run` is part of the same piece of assembly, from registers that the kernel hands to both sides
// unchanged.
long clone_run(clone_args args, void* stack, size_t stack_size, int (*run)(void*), void* argument) {
#if defined(__SANITIZE_ADDRESS__)
    // An ordinary copy of the process, which goes on where its maker was.
    args.flags &= ~static_cast<uint64_t>(CLONE_VM);
    args.stack = args.stack_size = 0;
    (void)stack, (void)stack_size;
    long result = raw(SYS_clone3, arg(&args), sizeof args);
    if (result == 0) raw(SYS_exit_group, run(argument));
    return result;
#else
    args.stack = reinterpret_cast<uintptr_t>(stack);
    args.stack_size = stack_size & ~size_t{15};
#if defined(__x86_64__)
    long result = SYS_clone3;
    register long r8 __asm__("r8") = reinterpret_cast<long>(run);
    register long r9 __asm__("r9") = reinterpret_cast<long>(argument);
    __asm__ volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "xor %%ebp, %%ebp\n\t"
        "mov %%r9, %%rdi\n\t"
        "call *%%r8\n\t"
        "mov %%eax, %%edi\n\t"
        "mov %[leave], %%eax\n\t"
        "syscall\n\t"
        "hlt\n"
        "1:"
        : "+a"(result)
        : "D"(&args), "S"(sizeof args), "r"(r8), "r"(r9), [leave] "i"(SYS_exit_group)
        : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = SYS_clone3;
    register long x0 __asm__("x0") = reinterpret_cast<long>(&args);
    register long x1 __asm__("x1") = sizeof args;
    register long x2 __asm__("x2") = reinterpret_cast<long>(run);
    register long x3 __asm__("x3") = reinterpret_cast<long>(argument);
    __asm__ volatile(
        "svc #0\n\t"
        "cbnz x0, 1f\n\t"
        "mov x29, xzr\n\t"
        "mov x0, x3\n\t"
        "blr x2\n\t"
        "mov x8, %[leave]\n\t"
        "svc #0\n\t"
        "brk #1\n"
        "1:"
        : "+r"(x0)
        : "r"(x8), "r"(x1), "r"(x2), "r"(x3), [leave] "i"(SYS_exit_group)
        : "x30", "memory");
    return x0;
#endif
#endif
}

}  // namespace croft::kernel
