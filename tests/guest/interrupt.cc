// interrupt N PROGRAM [ARGUMENT…]: runs PROGRAM and kills it when it is about to make its N-th system call (from 1),
// counted in the process itself and not in its children. For tests of commands that are killed at any moment.
//
// Ends as PROGRAM did: with its exit status, or killed by the same signal. So SIGKILL says that it was interrupted.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

int fail(const char* what) {
    fprintf(stderr, "interrupt: %s: %s\n", what, strerror(errno));
    return 2;
}

// The next time that it stops or ends.
int wait_status(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) exit(fail("waitpid"));
    return status;
}

int finish(int status) {
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
    return 128 + WTERMSIG(status);
}

bool enters(pid_t pid) {
    __ptrace_syscall_info info = {};
    return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

int follow(pid_t pid, long last) {
    int status = wait_status(pid);  // its exec
    if (!WIFSTOPPED(status)) return finish(status);
    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
    for (int deliver = 0;;) {
        if (ptrace(PTRACE_SYSCALL, pid, 0, deliver) < 0 && errno != ESRCH) return fail("ptrace");
        status = wait_status(pid);
        if (!WIFSTOPPED(status)) return finish(status);
        const bool system_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        // A further exec stops with a plain SIGTRAP, which is not for the program.
        deliver = system_call || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        if (!system_call) continue;
        if (enters(pid) && --last <= 0) kill(pid, SIGKILL);
    }
}

}  // namespace

int main(int argc, char** argv) {
    long last = argc > 2 ? strtol(argv[1], nullptr, 10) : 0;
    if (last < 1) {
        fputs("usage: interrupt N PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    pid_t pid = fork();
    if (pid < 0) return fail("fork");
    if (pid > 0) return follow(pid, last);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    execv(argv[2], argv + 2);
    _exit(fail(argv[2]));
}
