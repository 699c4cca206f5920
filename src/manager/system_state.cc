// Asking a booted machine how its own systemd is. There is a way to ask that every systemd since 215 has, and
// that needs neither D-Bus here nor a socket of the guest's: its own program, run inside as `croft exec`
// does.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/fd.h"
#include "base/text.h"
#include "manager/exec.h"
#include "manager/leader.h"
#include "manager/states.h"

namespace croft::manager {

namespace {
constexpr uint64_t patience = 5'000'000;  // µs: a guest that hangs must not hang `croft show`

// The guest writes this text, so only a word that systemctl(1) documents is believed.
std::string known_state(std::string_view text) {
    for (std::string_view word :
         {"initializing", "starting", "running", "degraded", "maintenance", "stopping"})
        if (trim(text) == word) return std::string(word);
    return "";
}

// What comes through the pipe within the time, up to a line.
std::string read_line(int fd) {
    std::string text;
    uint64_t end = monotonic_now() + patience;
    for (uint64_t now = 0;
         text.find('\n') == text.npos && text.size() < 64 && (now = monotonic_now()) < end;) {
        pollfd wanted = {fd, POLLIN, 0};
        if (poll(&wanted, 1, static_cast<int>((end - now) / 1000 + 1)) <= 0) continue;
        char buffer[64];
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n <= 0) break;
        text.append(buffer, static_cast<size_t>(n));
    }
    return text;
}

[[noreturn]] void run_inside(const Paths& paths, const std::string& name, int output) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0), dup2(output, 1), dup2(null, 2);
    ExecOptions options;
    options.command = {"systemctl", "is-system-running"};
    options.interactive = false;
    (void)exec(paths, name, options);
    _exit(0);
}
}  // namespace

std::string ask_system_state(const Paths& paths, const Machine& machine) {
    // A frozen one would not answer; one that is booting or stopping says so by that.
    if (machine.state != State::running || machine.record.init_kind != "systemd") return "";
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return "";
    Fd output(ends[0]), input(ends[1]);
    pid_t child = fork();
    if (child < 0) return "";
    if (child == 0) run_inside(paths, machine.name, input.get());
    input.reset();
    std::string state = known_state(read_line(output.get()));
    // With it ends what it runs inside: that has the death of its parent as a signal.
    ::kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return state;
}

}  // namespace croft::manager
