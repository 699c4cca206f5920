// What a process does as it is told: ends, waits, makes children, uses things up.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include <vector>

#include "line.h"

namespace guest {
namespace {

int number(Args args, int otherwise) {
    return args[0] ? atoi(args[0]) : otherwise;
}

int exit_with(Args args) {
    return number(args, 0);
}

int die_by(Args args) {
    int sig = number(args, SIGTERM);
    signal(sig, SIG_DFL);
    kill(getpid(), sig);
    // PID 1 of a namespace does not die by its own default actions.
    Line("survived").add("signal", sig);
    return 1;
}

int wait_a_while(Args args) {
    double seconds = args[0] ? atof(args[0]) : 1e9;
    timespec left{time_t(seconds), long((seconds - double(time_t(seconds))) * 1e9)};
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {
    }
    return 0;
}

// catch [COUNT]: tells each signal that arrives; SIGTERM, or the COUNTth, ends it with 0.
int catch_signals(Args args) {
    int left = number(args, 1000);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    Line("catching").add("pid", getpid());
    while (left-- > 0) {
        siginfo_t info{};
        int sig = sigwaitinfo(&all, &info);
        Line("signal").add("number", sig).add("from", info.si_pid);
        if (sig == SIGTERM) break;
    }
    return 0;
}

// orphans N: children whose parents end at once, and which end a little later; somebody must reap them.
int orphans(Args args) {
    for (int i = number(args, 1); i > 0; --i) {
        pid_t pid = fork();
        if (pid == 0) {
            if (fork() == 0) usleep(50'000);
            _exit(0);
        }
        waitpid(pid, nullptr, 0);
    }
    usleep(300'000);
    return 0;
}

// daemon SECONDS: leaves a process behind that holds nothing of the caller's but its cgroup.
int leave_behind(Args args) {
    if (fork() == 0) {
        setsid();
        for (int fd = 0; fd < 3; ++fd) close(fd);
        wait_a_while(args);
        _exit(0);
    }
    return 0;
}

int notify(Args args) {
    const char* path = getenv("NOTIFY_SOCKET");
    if (!path || !args[0]) {
        Line("notify").flag("done", false).add("error", path ? "nothing to say" : "NOTIFY_SOCKET is not set");
        return 1;
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (path[0] == '@') address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    std::string text;
    for (; *args; ++args) text += std::string(*args) + "\n";
    socklen_t length = socklen_t(offsetof(sockaddr_un, sun_path) + strlen(path));
    ssize_t n = sendto(fd, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&address), length);
    Line("notify").flag("done", n >= 0).add("error", n < 0 ? error_name(errno) : "");
    close(fd);
    return n < 0 ? 1 : 0;
}

int call_reboot(int command) {
    reboot(command);
    Line("reboot").flag("done", false).add("error", error_name(errno));
    return 1;
}
int reboot_machine(Args) {
    return call_reboot(RB_AUTOBOOT);
}
int power_off(Args) {
    return call_reboot(RB_POWER_OFF);
}
int halt(Args) {
    return call_reboot(RB_HALT_SYSTEM);
}

int copy_input(Args) {
    char buffer[65536];
    ssize_t n;
    while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0)
        if (write(STDOUT_FILENO, buffer, size_t(n)) != n) return 1;
    return n < 0 ? 1 : 0;
}

// say OUT ERR: one text on each stream.
int say(Args args) {
    if (args[0]) (void)!write(STDOUT_FILENO, args[0], strlen(args[0]));
    if (args[0] && args[1]) (void)!write(STDERR_FILENO, args[1], strlen(args[1]));
    return 0;
}

int spam(Args args) {
    long long left = args[0] ? atoll(args[0]) : 1 << 20;
    std::string block(65536, 'x');
    for (size_t i = 79; i < block.size(); i += 80) block[i] = '\n';
    while (left > 0) {
        ssize_t n = write(STDOUT_FILENO, block.data(), size_t(left < 65536 ? left : 65536));
        if (n < 0) return 1;
        left -= n;
    }
    return 0;
}

// memory BYTES: touched page by page; the kernel's answer to a limit is SIGKILL.
int use_memory(Args args) {
    size_t size = args[0] ? strtoull(args[0], nullptr, 10) : 0;
    char* at = static_cast<char*>(
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (at == MAP_FAILED) return 1;
    for (size_t i = 0; i < size; i += 4096) at[i] = 1;
    Line("memory").add("bytes", static_cast<long long>(size));
    return 0;
}

// forks N: that many children at once; tells how many there could be.
int use_processes(Args args) {
    std::vector<pid_t> children;
    int error = 0;
    for (int i = number(args, 10); i > 0 && error == 0; --i) {
        pid_t pid = fork();
        if (pid == 0) {
            pause();
            _exit(0);
        }
        if (pid < 0) error = errno;
        if (pid > 0) children.push_back(pid);
    }
    Line("forks").add("count", static_cast<long long>(children.size())).add("error", error_name(error));
    for (pid_t pid : children) kill(pid, SIGKILL), waitpid(pid, nullptr, 0);
    return 0;
}

// burn SECONDS: of wall time, on the CPU; tells how much of it was had.
int burn(Args args) {
    timespec start, now, used;
    clock_gettime(CLOCK_MONOTONIC, &start);
    double elapsed = 0;
    while (elapsed < number(args, 1)) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        elapsed = double(now.tv_sec - start.tv_sec) + double(now.tv_nsec - start.tv_nsec) / 1e9;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    Line("burn")
        .add("cpu_ms", used.tv_sec * 1000 + used.tv_nsec / 1'000'000)
        .add("wall_ms", (long long)(elapsed * 1000));
    return 0;
}

// init [COMMAND…]: a small PID 1: says it is ready, reaps, powers off on SIGTERM or SIGRTMIN+3, reboots on
// SIGINT.
int small_init(Args) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    Line("init").add("pid", getpid());
    char* ready[] = {const_cast<char*>("READY=1"), nullptr};
    if (getenv("NOTIFY_SOCKET")) notify(ready);
    for (;;) {
        int sig = sigwaitinfo(&all, nullptr);
        while (waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        if (sig == SIGTERM || sig == SIGRTMIN + 3) return power_off(nullptr);
        if (sig == SIGINT) return reboot_machine(nullptr);
    }
}

}  // namespace

const Command act_commands[] = {{"exit", "N end with that status", exit_with},
                                {"signal", "N die by that signal", die_by},
                                {"sleep", "[SECONDS] forever by default", wait_a_while},
                                {"catch", "[COUNT] tell signals that arrive", catch_signals},
                                {"spawn-orphans", "N short-lived orphans", orphans},
                                {"daemon", "SECONDS leave a process behind", leave_behind},
                                {"notify", "TEXT… to NOTIFY_SOCKET", notify},
                                {"reboot", "reboot(2)", reboot_machine},
                                {"poweroff", "reboot(2) to power off", power_off},
                                {"halt", "reboot(2) to halt", halt},
                                {"cat", "standard input to standard output", copy_input},
                                {"say", "OUT ERR one text on each stream", say},
                                {"spam", "BYTES of lines", spam},
                                {"memory", "BYTES touch so much memory", use_memory},
                                {"forks", "N children at once", use_processes},
                                {"burn", "SECONDS of CPU", burn},
                                {"init", "be a small PID 1", small_init},
                                {nullptr, nullptr, nullptr}};

}  // namespace guest
