#include "bus/agent.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "base/fd.h"

namespace croft::bus {

namespace {
constexpr const char* program = "/usr/bin/pkttyagent";
}

Agent::Agent() {
    if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1 || access(program, X_OK) < 0) return;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return;
    Fd ready(ends[0]), tell(ends[1]);
    char number[16];
    snprintf(number, sizeof number, "%d", tell.get());
    pid_ = fork();
    if (pid_ == 0) {
        fcntl(tell.get(), F_SETFD, 0);
        execl(program, program, "--notify-fd", number, "--fallback", static_cast<char*>(nullptr));
        _exit(127);
    }
    // It closes the pipe when polkit knows of it, and also when it ends.
    tell.reset();
    pollfd watched = {ready.get(), POLLHUP, 0};
    if (pid_ > 0) poll(&watched, 1, 10'000);
}

Agent::~Agent() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    kill(pid_, SIGCONT);
    waitpid(pid_, nullptr, 0);
}

}  // namespace croft::bus
