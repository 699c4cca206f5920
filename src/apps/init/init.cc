// croft-init: the tiny init of `croft run --init`. It is PID 1 of the machine, runs one command as its child, passes
// signals on to it, reaps whatever is left behind by others, and ends with the command's own status.
//
//   croft-init COMMAND [ARG…]
//
// PID 1 gets no default action for signals, so a command that is PID 1 itself ignores SIGTERM unless it installed a
// handler; under croft-init it behaves as anywhere else.
#include "apps/tiny/tiny.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <sys/wait.h>
#include <sys/stat.h>

namespace tiny = croft::tiny;

namespace {

void say(const char* command, const char* what) {
    tiny::Text<512> line;
    line.add("croft-init: ").add(command).add(": ").add(what).add("\n");
    tiny::call(SYS_write, 2, tiny::arg(line.data), static_cast<long>(line.used));
}

// execve along PATH, as execvp(3) does it: EACCES is remembered, a missing file is passed over.
long exec_along_path(char** argv, char** envp) {
    if (tiny::contains(argv[0], '/')) return tiny::call(SYS_execve, tiny::arg(argv[0]), tiny::arg(argv), tiny::arg(envp));
    const char* path = tiny::value_of(envp, "PATH");
    if (!path) path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    long worst = -ENOENT;
    while (*path) {
        tiny::Text<4096> file;
        for (; *path && *path != ':'; ++path) {
            char one[2] = {*path, 0};
            file.add(one);
        }
        if (*path == ':') ++path;
        file.add(file.used ? "/" : "./").add(argv[0]);
        long error = tiny::call(SYS_execve, tiny::arg(file.data), tiny::arg(argv), tiny::arg(envp));
        if (error != -ENOENT && error != -ENOTDIR) worst = error;
    }
    return worst;
}

[[noreturn]] void run_command(char** argv, char** envp, tiny::Signals before) {
    // A process group of its own, in the foreground of the terminal if there is one, so that ^C reaches the command
    // and not its init. SIGTTOU is still blocked here, so tcsetpgrp does not stop us.
    tiny::call(SYS_setpgid, 0, 0);
    int group = static_cast<int>(tiny::call(SYS_getpid));
    tiny::call(SYS_ioctl, 0, TIOCSPGRP, tiny::arg(&group));
    tiny::block_signals(before);
    long error = exec_along_path(argv, envp);
    bool missing = error == -ENOENT || error == -ENOTDIR;
    say(argv[0], missing ? "there is no such command in the tree" : "the command cannot be executed");
    tiny::exit(missing ? 127 : 126);
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

int tiny_main(int argc, char** argv, char** envp) {
    if (argc < 2) {
        say("usage", "croft-init COMMAND [ARG…]");
        return 125;
    }
    tiny::Signals before = 0;
    tiny::block_signals(~tiny::Signals{0}, &before);
    // No CLONE flags: an ordinary fork.
    long command = tiny::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (command < 0) {
        say(argv[1], "no process could be made for it");
        return 125;
    }
    if (command == 0) run_command(argv + 1, envp, before);
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
