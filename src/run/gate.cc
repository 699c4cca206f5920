#include "run/gate.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/scope.h"
#include "base/text.h"
#include "run/exec_report.h"
#include "run/hooks.h"

namespace croft::run {

namespace {

constexpr const char* gate_name = "gate";
constexpr const char* answer_name = "gate-answer";

// Read and write, so that opening does not wait for another end, and a reader never sees an end of file by
// itself.
Result<Fd> make_fifo(int directory, const char* name) {
    if (unlinkat(directory, name, 0) < 0 && errno != ENOENT) return os_error(errno, "replacing the gate");
    if (mkfifoat(directory, name, 0600) < 0) return os_error(errno, "making the gate");
    return open_at(directory, name, O_RDWR | O_NOFOLLOW);
}

Error nobody_waits() {
    return error(Errc::wrong_state, "its process does not wait to be started: it has ended");
}
Error started_before() {
    return error(Errc::wrong_state, "it has been started already");
}

Result<> read_answer(int answer, const launch::LaunchPlan& plan) {
    pollfd poll_answer = {.fd = answer, .events = POLLIN, .revents = 0};
    while (poll(&poll_answer, 1, -1) < 0 && errno == EINTR) {
    }
    ExecReport report;
    ssize_t n;
    do n = read(answer, &report, sizeof report);
    while (n < 0 && errno == EINTR);
    if (n != sizeof report) return {};
    if (report.kind == 'h') return start_hook_error(plan.hooks.start_container, report.hook, report.error);
    return launch::explain(
        plan,
        {.phase = launch::Phase::exec, .detail = static_cast<uint8_t>(report.there), .error = report.error});
}

}  // namespace

Result<Gate> make_gate(int directory) {
    Gate made;
    made.gate = TRY(make_fifo(directory, gate_name));
    made.answer = TRY(make_fifo(directory, answer_name));
    return made;
}

void remove_gate(int directory) {
    unlinkat(directory, gate_name, 0);
    unlinkat(directory, answer_name, 0);
}

bool waits_at_gate(int directory) {
    return open_at(directory, gate_name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW).has_value();
}

Result<> open_gate(int directory, const launch::LaunchPlan& plan) {
    Result<Fd> gate = open_at(directory, gate_name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
    if (!gate && gate.error().err == ENXIO) return nobody_waits();
    if (!gate && gate.error().err == ENOENT) return started_before();
    if (!gate) return std::move(gate).error().within("opening the gate");
    // One at a time; who comes second finds the name gone.
    while (flock(gate->get(), LOCK_EX) < 0 && errno == EINTR) {
    }
    struct stat now;
    if (fstat(gate->get(), &now) < 0 || now.st_nlink == 0) return started_before();
    Fd answer =
        TRY(open_at(directory, answer_name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW).within("opening the gate"));
    const auto before = signal(SIGPIPE, SIG_IGN);
    OnExit restore([before] { signal(SIGPIPE, before); });
    if (write(gate->get(), "g", 1) != 1) return nobody_waits();
    unlinkat(directory, gate_name, 0);
    return read_answer(answer.get(), plan);
}

}  // namespace croft::run
