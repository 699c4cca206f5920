// startContainer hooks (runtime-spec "POSIX-platform Hooks"): run by the payload's own process just before it
// executes, with all that the payload may and may not do. A part of init.cc.
#pragma once

#include "apps/tiny/tiny.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "run/exec_report.h"

namespace {

// The words of the file, one after the other.
struct Words {
    char* at;
    char* end;
    char* next() {
        char* word = at;
        while (at < end && *at) ++at;
        if (at < end) ++at;
        return word;
    }
    long count() { return croft::tiny::number(next(), 0); }
    char** list(char** out, long n) {
        for (long i = 0; i < n; ++i) *out++ = next();
        *out++ = nullptr;
        return out;
    }
};

int64_t milliseconds() {
    __kernel_timespec now = {};
    croft::tiny::call(SYS_clock_gettime, CLOCK_MONOTONIC, croft::tiny::arg(&now));
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// The status of the process, or hook_timed_out after it was killed. SIGCHLD is blocked.
int32_t wait_for_hook(long pid, long timeout) {
    int status = 0;
    const int64_t until = milliseconds() + timeout * 1000;
    while (timeout > 0) {
        if (croft::tiny::call(SYS_wait4, pid, croft::tiny::arg(&status), WNOHANG, 0) == pid) return status;
        int64_t left = until - milliseconds();
        if (left <= 0) {
            croft::tiny::call(SYS_kill, -pid, SIGKILL);
            croft::tiny::call(SYS_kill, pid, SIGKILL);
            break;
        }
        croft::tiny::Signals child = croft::tiny::Signals{1} << (SIGCHLD - 1);
        __kernel_timespec rest = {left / 1000, left % 1000 * 1000000};
        croft::tiny::call(SYS_rt_sigtimedwait, croft::tiny::arg(&child), 0, croft::tiny::arg(&rest),
                          sizeof child);
    }
    while (croft::tiny::call(SYS_wait4, pid, croft::tiny::arg(&status), 0, 0) == -EINTR) {
    }
    return timeout > 0 ? croft::run::hook_timed_out : status;
}

int32_t run_hook(const char* path, char** argv, char** envp, long timeout, long state) {
    croft::tiny::Signals before = 0;
    croft::tiny::block_signals(~croft::tiny::Signals{0}, &before);
    long pid = croft::tiny::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        croft::tiny::call(SYS_setpgid, 0, 0);
        croft::tiny::call(SYS_lseek, state, 0, 0);
        croft::tiny::call(SYS_dup3, state, 0, 0);
        croft::tiny::block_signals(before);
        croft::tiny::call(SYS_execve, croft::tiny::arg(path), croft::tiny::arg(argv), croft::tiny::arg(envp));
        croft::tiny::exit(127);
    }
    int32_t status =
        pid < 0 ? croft::run::hook_errno_base + static_cast<int32_t>(-pid) : wait_for_hook(pid, timeout);
    croft::tiny::block_signals(before);
    return status;
}

// True when all went well; otherwise the report says which failed.
bool run_start_hooks(long file, long state, croft::run::ExecReport& report) {
    static char* lists[croft::run::most_hook_words + 2];
    report.kind = 'h';
    long size = croft::tiny::call(SYS_lseek, file, 0, 2);
    long memory = size <= 0 ? -EINVAL : croft::tiny::call(SYS_mmap, 0, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (memory < 0 && memory > -4096) {
        report.error = croft::run::hook_errno_base + static_cast<int32_t>(-memory);
        return false;
    }
    Words words = {reinterpret_cast<char*>(memory), reinterpret_cast<char*>(memory) + size};
    const long hooks = words.count();
    for (; report.hook < hooks; ++report.hook) {
        long timeout = words.count();
        char* path = words.next();
        char** envp = words.list(lists, words.count());
        words.list(envp, words.count());
        report.error = run_hook(path, lists, envp, timeout, state);
        if (report.error != 0) return false;
    }
    return true;
}

}  // namespace
