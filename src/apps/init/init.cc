// croft-init: the tiny init of `croft run --init`. It is PID 1 of the machine, runs one command as its child,
// passes signals on to it, reaps whatever is left behind by others, and ends with the command's own status.
//
//   croft-init --report=FD [--path=LIST] [--gate=FD --answer=FD] [--hooks=FD --state=FD] [--exec] [--] COMMAND [ARG…]
//
// --report=FD   a socket to the launcher, which hears of a command that cannot be executed (run/exec_report.h)
// --path=LIST   where a command without a slash is looked for; otherwise $PATH
// --exec        only executes the command, in its own place. So the program that a machine sees as /proc/self/exe of a
//               process that is about to execute is this one, on a read-only mount, and never croft (CVE-2019-5736).
//               A payload that is /proc/self/exe, or a script that is read by it, executes croft-init once more, without
//               a report: that ends here, for a script would have it execute the same script for ever.
//
// --gate=FD     tells the launcher that it waits, and does until a byte comes here (run/gate.h); what goes wrong then is told to
//               --answer=FD
// --hooks=FD    runs these before the command, with the file --state=FD as their standard input
//
// PID 1 gets no default action for signals, so a command that is PID 1 itself ignores SIGTERM unless it
// installed a handler; under croft-init it behaves as anywhere else.
#include "apps/tiny/tiny.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "apps/init/hooks.h"
#include "run/exec_report.h"

namespace tiny = croft::tiny;

namespace {

void say(const char* command, const char* what) {
    tiny::Text<512> line;
    line.add("croft-init: ").add(command).add(": ").add(what).add("\n");
    tiny::call(SYS_write, 2, tiny::arg(line.data), static_cast<long>(line.used));
}

struct Options {
    long report = -1, gate = -1, answer = -1, hooks = -1, state = -1;
    const char* path = nullptr;
    bool only_exec = false;
    char** command = nullptr;
};

Options parse(char** argv, char** envp) {
    Options o;
    o.path = tiny::value_of(envp, "PATH");
    for (++argv; *argv && tiny::starts_with(*argv, "--"); ++argv) {
        if (tiny::starts_with(*argv, "--report="))
            o.report = tiny::number(*argv + 9, -1);
        else if (tiny::starts_with(*argv, "--gate="))
            o.gate = tiny::number(*argv + 7, -1);
        else if (tiny::starts_with(*argv, "--answer="))
            o.answer = tiny::number(*argv + 9, -1);
        else if (tiny::starts_with(*argv, "--hooks="))
            o.hooks = tiny::number(*argv + 8, -1);
        else if (tiny::starts_with(*argv, "--state="))
            o.state = tiny::number(*argv + 8, -1);
        else if (tiny::starts_with(*argv, "--path="))
            o.path = *argv + 7;
        else if (tiny::starts_with(*argv, "--exec"))
            o.only_exec = true;
        else {
            ++argv;
            break;
        }
    }
    o.command = argv;
    return o;
}

// The last error that tells something: what is not there is passed over.
struct Failure {
    long error = -ENOENT;
    bool there = false;
};

void try_exec(const char* file, char** argv, char** envp, Failure& failure) {
    long error = tiny::call(SYS_execve, tiny::arg(file), tiny::arg(argv), tiny::arg(envp));
    bool there = tiny::call(SYS_faccessat, AT_FDCWD, tiny::arg(file), 0) >= 0;
    if ((error != -ENOENT && error != -ENOTDIR) || there) failure = {error, there};
}

// execve along a search path, as execvp(3) does it.
Failure exec_along_path(const Options& o, char** envp) {
    Failure failure;
    if (tiny::contains(o.command[0], '/')) {
        try_exec(o.command[0], o.command, envp, failure);
        return failure;
    }
    const char* path = o.path ? o.path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    while (*path) {
        tiny::Text<4096> file;
        for (; *path && *path != ':'; ++path) {
            char one[2] = {*path, 0};
            file.add(one);
        }
        if (*path == ':') ++path;
        file.add(file.used ? "/" : "./").add(o.command[0]);
        try_exec(file.data, o.command, envp, failure);
        if (failure.there && failure.error != -EACCES) break;
    }
    return failure;
}

// The launcher hears that we wait, and answers; silence means that it is gone, and then nobody knows of us.
void wait_at_gate(Options& o) {
    croft::run::ExecReport waits;
    waits.kind = 'w';
    char byte;
    if (tiny::call(SYS_write, o.report, tiny::arg(&waits), sizeof waits) < 0) tiny::exit(125);
    if (tiny::call(SYS_read, o.report, tiny::arg(&byte), 1) != 1) tiny::exit(125);
    tiny::call(SYS_close, o.report);
    o.report = o.answer;
    long n;
    do n = tiny::call(SYS_read, o.gate, tiny::arg(&byte), 1);
    while (n == -EINTR);
    if (n != 1) tiny::exit(125);
    tiny::call(SYS_close, o.gate);
    o.gate = -1;
}

// What must not reach the payload or a hook. The report's end of file is how the launcher hears of success.
void close_at_exec(const Options& o) {
    const long descriptors[] = {o.report, o.gate, o.answer, o.hooks, o.state};
    for (long fd : descriptors)
        if (fd >= 0) tiny::call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
}

// False: nobody hears it. Who does ends this process, or goes. To end before that would have systemd, whose main process
// this may be, end the launcher before it has told why. Behind a gate there is no launcher any more.
bool tell(const Options& o, const croft::run::ExecReport& report) {
    if (tiny::call(SYS_write, o.report, tiny::arg(&report), sizeof report) < 0) return false;
    char byte;
    if (o.answer < 0) tiny::call(SYS_read, o.report, tiny::arg(&byte), 1);
    return true;
}

void run_hooks(const Options& o) {
    croft::run::ExecReport report;
    if (o.hooks < 0 || run_start_hooks(o.hooks, o.state, report)) return;
    if (!tell(o, report))
        say(*o.command ? o.command[0] : "config.json", "a startContainer hook failed");
    tiny::exit(125);
}

[[noreturn]] void execute(const Options& o, char** envp) {
    Failure failure = exec_along_path(o, envp);
    bool missing = !failure.there && (failure.error == -ENOENT || failure.error == -ENOTDIR);
    croft::run::ExecReport report;
    report.there = failure.there;
    report.error = static_cast<int32_t>(-failure.error);
    if (!tell(o, report))
        say(o.command[0],
            missing ? "there is no such command in the tree" : "the command cannot be executed");
    tiny::exit(missing ? 127 : 126);
}

[[noreturn]] void run_command(const Options& o, char** envp, tiny::Signals before) {
    // A process group of its own, in the foreground of the terminal if there is one, so that ^C reaches the
    // command and not its init. SIGTTOU is still blocked here, so tcsetpgrp does not stop us.
    tiny::call(SYS_setpgid, 0, 0);
    int group = static_cast<int>(tiny::call(SYS_getpid));
    tiny::call(SYS_ioctl, 0, TIOCSPGRP, tiny::arg(&group));
    tiny::block_signals(before);
    execute(o, envp);
}

// Reaps everything that has ended; returns the command's exit status, or -1 while it lives.
int reap(long command) {
    for (;;) {
        int status = 0;
        long pid = tiny::call(SYS_wait4, -1, tiny::arg(&status), WNOHANG, 0);
        if (pid <= 0) return -1;
        if (pid == command) return (status & 0x7f) ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
    }
}

}  // namespace

int tiny_main(int, char** argv, char** envp) {
    Options o = parse(argv, envp);
    if (o.report < 0) {
        say(argv[0], "this is croft-init, which only croft's launcher can use: name the program itself "
            "as the command, or as the interpreter of the script, not /proc/self/exe");
        return 126;
    }
    close_at_exec(o);
    if (o.gate >= 0) wait_at_gate(o);
    run_hooks(o);
    if (!*o.command) {
        say("config.json", "it has no process, so there is nothing to start");
        return 1;
    }
    if (o.only_exec) execute(o, envp);
    tiny::Signals before = 0;
    tiny::block_signals(~tiny::Signals{0}, &before);
    // No CLONE flags: an ordinary fork.
    long command = tiny::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (command < 0) {
        say(o.command[0], "no process could be made for it");
        return 125;
    }
    if (command == 0) run_command(o, envp, before);
    tiny::call(SYS_close, o.report);
    for (;;) {
        tiny::Signals all = ~tiny::Signals{0};
        long signal = tiny::call(SYS_rt_sigtimedwait, tiny::arg(&all), 0, 0, sizeof all);
        if (signal == SIGCHLD) {
            int status = reap(command);
            if (status >= 0) return status;
        } else if (signal > 0) {
            tiny::call(SYS_kill, command, signal);
        }
    }
}
