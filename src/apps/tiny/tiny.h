// What a program without a C library needs: system calls, a few string functions, and a start.
//
// croft-init and croft-hold stay beside (or inside) every machine for its whole life, so they are a few pages
// each: no libc, no heap, no relocation. Only the calls they use are here. Include this in exactly one .cc
// file of a program, which defines `int tiny_main(int argc, char** argv, char** envp)`.
#pragma once

#include <linux/time_types.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "kernel/raw.h"

namespace croft::tiny {

using kernel::arg;

// A system call: a value, or -errno.
inline long call(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
    return kernel::raw(n, a, b, c, d, e, f);
}

// At entry the stack holds argc, argv…, 0, envp…, 0; the ABI wants it aligned before a call.
#if defined(__x86_64__)
asm(".globl _start\n_start:\n xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call tiny_start\n hlt\n");
#elif defined(__aarch64__)
asm(".globl _start\n_start:\n mov x29,#0\n mov x0,sp\n and sp,x0,#-16\n bl tiny_start\n");
#endif

[[noreturn]] inline void exit(int status) {
    for (;;) call(SYS_exit_group, status);
}

inline size_t length(const char* text) {
    size_t n = 0;
    while (text[n]) ++n;
    return n;
}
inline bool starts_with(const char* text, const char* prefix) {
    while (*prefix)
        if (*text++ != *prefix++) return false;
    return true;
}
inline bool contains(const char* text, char c) {
    while (*text && *text != c) ++text;
    return *text == c;
}
// "NAME=value" among argv or envp: the value, or nullptr.
inline const char* value_of(char** list, const char* name) {
    for (; *list; ++list)
        if (starts_with(*list, name) && (*list)[length(name)] == '=') return *list + length(name) + 1;
    return nullptr;
}
inline long number(const char* text, long otherwise) {
    if (!text || !*text) return otherwise;
    bool minus = *text == '-';
    long value = 0;
    for (text += minus; *text >= '0' && *text <= '9'; ++text) value = value * 10 + (*text - '0');
    return minus ? -value : value;
}

// Text of a bounded length, for paths and messages; what does not fit is cut.
template <size_t Size>
struct Text {
    char data[Size];
    size_t used = 0;
    Text& add(const char* piece) {
        while (*piece && used + 1 < Size) data[used++] = *piece++;
        data[used] = 0;
        return *this;
    }
    Text& add(long value) {
        char digits[24];
        char* at = digits + sizeof digits;
        *--at = 0;
        unsigned long rest =
            value < 0 ? -static_cast<unsigned long>(value) : static_cast<unsigned long>(value);
        do {
            *--at = static_cast<char>('0' + rest % 10);
        } while (rest /= 10);
        if (value < 0) *--at = '-';
        return add(at);
    }
};

// A kernel sigset: 64 bits, signal n is bit n-1.
using Signals = uint64_t;
inline void block_signals(Signals set, Signals* before = nullptr) {
    call(SYS_rt_sigprocmask, SIG_SETMASK, arg(&set), arg(before), sizeof set);
}

}  // namespace croft::tiny

// The compiler may call these for copies and zeroing of structs.
extern "C" {
__attribute__((used)) inline void* memcpy(void* to, const void* from, size_t n) {
    auto* out = static_cast<volatile char*>(to);
    auto* in = static_cast<const char*>(from);
    while (n--) *out++ = *in++;
    return to;
}
__attribute__((used)) inline void* memset(void* to, int value, size_t n) {
    auto* out = static_cast<volatile char*>(to);
    while (n--) *out++ = static_cast<char>(value);
    return to;
}
int tiny_main(int argc, char** argv, char** envp);
[[noreturn, gnu::used]] inline void tiny_start(long* stack) {
    char** argv = reinterpret_cast<char**>(stack + 1);
    croft::tiny::exit(tiny_main(static_cast<int>(*stack), argv, argv + *stack + 1));
}
}
