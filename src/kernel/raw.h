// System calls without errno, heap or any state of the C library: what the payload's side may use between
// clone and exec, where it shares nothing sane with its parent. Each returns what the kernel returns: a
// value, or -errno.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdint>

namespace croft::kernel {

#if defined(__x86_64__)
inline long raw(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    register long r9 asm("r9") = f;
    long result;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
inline long raw(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
    register long x8 asm("x8") = n;
    register long x0 asm("x0") = a;
    register long x1 asm("x1") = b;
    register long x2 asm("x2") = c;
    register long x3 asm("x3") = d;
    register long x4 asm("x4") = e;
    register long x5 asm("x5") = f;
    asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
#else
#error "croft knows x86-64 and aarch64; add the system call of this machine here"
#endif

template <class T>
long arg(T* pointer) {
    return reinterpret_cast<long>(pointer);
}

inline long raw_close(long fd) {
    return fd >= 0 ? raw(SYS_close, fd) : 0;
}

// The only way to walk a path of a tree: it cannot leave `root`, and magic links are refused. EAGAIN is a
// rename that raced with the walk.
inline long raw_open_in_root(long root, const char* path, uint64_t flags, uint64_t mode = 0,
                             uint64_t resolve = 0) {
    open_how how = {};
    how.flags = flags | O_CLOEXEC;
    how.mode = flags & O_CREAT ? mode : 0;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve;
    long fd = -EAGAIN;
    for (int tries = 0; fd == -EAGAIN && tries < 64; ++tries)
        fd = raw(SYS_openat2, root, arg(path), arg(&how), sizeof how);
    return fd;
}

inline long raw_open_tree(long dir, const char* path, bool clone, bool recursive) {
    return raw(SYS_open_tree, dir, arg(path),
               OPEN_TREE_CLOEXEC | (clone ? OPEN_TREE_CLONE : 0) | (recursive ? AT_RECURSIVE : 0) |
                   (*path ? 0 : AT_EMPTY_PATH));
}

// From a mount by its fd onto a directory or file by its fd: no path is walked here.
inline long raw_attach(long mount, long target) {
    return raw(SYS_move_mount, mount, arg(""), target, arg(""),
               MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

inline long raw_set_attr(long mount, uint64_t set, uint64_t clear, uint64_t propagation, long userns,
                         bool recursive) {
    mount_attr attr = {.attr_set = set,
                       .attr_clr = clear,
                       .propagation = propagation,
                       .userns_fd = userns >= 0 ? static_cast<uint64_t>(userns) : 0};
    if (!set && !clear && !propagation) return 0;
    return raw(SYS_mount_setattr, mount, arg(""), AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), arg(&attr),
               sizeof attr);
}

}  // namespace croft::kernel
