#include "run/relay.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "run/hold_protocol.h"

namespace croft::run {

namespace {

// What a terminal or an administrator may send to a foreground command. SIGCHLD is not among them (the pidfd tells),
// nor what means a fault of our own.
constexpr int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGTSTP, SIGALRM, SIGPOLL, SIGPROF};

}  // namespace

Result<SignalTrap> SignalTrap::set() {
    SignalTrap trap;
    sigset_t wanted;
    sigemptyset(&wanted);
    for (int signal : forwarded) sigaddset(&wanted, signal);
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) sigaddset(&wanted, signal);
    if (sigprocmask(SIG_BLOCK, &wanted, &trap.before_) < 0) return os_error(errno, "blocking signals");
    trap.fd_ = Fd(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!trap.fd_) return os_error(errno, "receiving signals");
    return trap;
}

SignalTrap::~SignalTrap() {
    if (fd_) sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Result<RawTerminal> RawTerminal::set(int terminal) {
    RawTerminal out;
    if (tcgetattr(terminal, &out.before_) < 0) return os_error(errno, "reading the terminal's mode");
    termios raw = out.before_;
    cfmakeraw(&raw);
    if (tcsetattr(terminal, TCSADRAIN, &raw) < 0) return os_error(errno, "setting the terminal to raw mode");
    out.terminal_ = terminal;
    return out;
}

RawTerminal::RawTerminal(RawTerminal&& other) noexcept : terminal_(std::exchange(other.terminal_, -1)), before_(other.before_) {}

RawTerminal::~RawTerminal() {
    if (terminal_ >= 0) tcsetattr(terminal_, TCSADRAIN, &before_);
}

Result<std::string> parse_detach_keys(std::string_view text) {
    std::string keys;
    for (const std::string& key : split(text, ',')) {
        if (key.size() == 1) {
            keys += key[0];
            continue;
        }
        char letter = key.size() == 6 && lower(key).starts_with("ctrl-") ? key[5] : 0;
        if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 32);
        if (letter < '@' || letter > '_') return error(Errc::invalid, cat(quoted(text), " are no detach keys (as \"ctrl-p,ctrl-q\": letters, or ctrl- with one of a-z @ [ \\ ] ^ _)"));
        keys += static_cast<char>(letter & 0x1f);
    }
    return keys;
}

namespace {

class Relay {
  public:
    Relay(const SignalTrap& signals, const RelayOptions& options) : signals_(signals), o_(options), input_(options.console >= 0 ? options.input : -1) {}
    Result<RelayEnd> run();

  private:
    void take_signals();
    void handle(int signal);
    void resize();
    bool take_output();
    bool take_input();
    void take_notification();
    bool take_link(RelayEnd& end);
    Result<launch::Outcome> reap();
    size_t scan_for_detach(const char* bytes, size_t size, std::string& pass);

    const SignalTrap& signals_;
    const RelayOptions& o_;
    int input_;
    size_t matched_ = 0;  // how many of the detach keys have been typed in a row
    bool detached_ = false;
};

void Relay::resize() {
    winsize size;
    if (o_.console >= 0 && ioctl(o_.output, TIOCGWINSZ, &size) == 0) ioctl(o_.console, TIOCSWINSZ, &size);
}

void Relay::handle(int signal) {
    if (signal == SIGWINCH) return resize();
    if (signal == SIGTSTP) {
        // The command stops, the machine goes on: a stopped command must not freeze a service.
        raise(SIGSTOP);
        return;
    }
    if (o_.pidfd >= 0)
        syscall(SYS_pidfd_send_signal, o_.pidfd, signal, nullptr, 0);
    else if (signal == SIGHUP || signal == SIGINT || signal == SIGTERM || signal == SIGQUIT)
        detached_ = true;  // attached to somebody else's child: going away is all there is to do
}

void Relay::take_signals() {
    signalfd_siginfo info;
    while (read(signals_.fd(), &info, sizeof info) == sizeof info) handle(static_cast<int>(info.ssi_signo));
}

// False when there is nothing more for now: EIO is a terminal without a slave.
bool Relay::take_output() {
    char buffer[16384];
    ssize_t n = read(o_.console, buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return errno == EINTR;
    if (n <= 0) return false;
    // An output that is gone is not the machine's fault: it is drained all the same.
    (void)write_all(o_.output, std::string_view(buffer, static_cast<size_t>(n)));
    return true;
}

// Bytes of the detach sequence are held back until it is complete or broken.
size_t Relay::scan_for_detach(const char* bytes, size_t size, std::string& pass) {
    for (size_t i = 0; i < size; ++i) {
        if (!o_.detach_keys.empty() && bytes[i] == o_.detach_keys[matched_]) {
            if (++matched_ == o_.detach_keys.size()) return i + 1;
            continue;
        }
        pass.append(o_.detach_keys, 0, std::exchange(matched_, 0));
        if (!o_.detach_keys.empty() && bytes[i] == o_.detach_keys[0] && o_.detach_keys.size() > 1)
            matched_ = 1;
        else
            pass += bytes[i];
    }
    return 0;
}

bool Relay::take_input() {
    char buffer[4096];
    ssize_t n = read(input_, buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (n <= 0) {
        // End of input becomes what a terminal sends for it; the console itself stays open.
        char eof = 4;
        (void)write_all(o_.console, std::string_view(&eof, 1));
        return false;
    }
    std::string pass;
    detached_ = scan_for_detach(buffer, static_cast<size_t>(n), pass) > 0;
    (void)write_all(o_.console, pass);
    return true;
}

// READY=1 counts from the payload's first process only; the kernel vouches for the sender.
void Relay::take_notification() {
    char text[4096];
    iovec data = {text, sizeof text - 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(16 * sizeof(int))];
    msghdr message = {};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t n = recvmsg(o_.notify, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0) return;
    pid_t sender = 0;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET) continue;
        if (c->cmsg_type == SCM_CREDENTIALS) sender = reinterpret_cast<ucred*>(CMSG_DATA(c))->pid;
        if (c->cmsg_type == SCM_RIGHTS)
            for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
                int fd;
                memcpy(&fd, reinterpret_cast<char*>(c) + at, sizeof fd);
                close(fd);
            }
    }
    if (sender != o_.pid) return;
    for (const std::string& line : split(std::string_view(text, static_cast<size_t>(n)), '\n'))
        if (line == "READY=1" && o_.ready) o_.ready();
}

bool Relay::take_link(RelayEnd& end) {
    char message[1 + sizeof(HoldExit)];
    ssize_t n = recv(o_.link, message, sizeof message, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    HoldExit exit = {CLD_KILLED, SIGKILL};  // the keeper went without a word
    if (n == static_cast<ssize_t>(sizeof message) && message[0] == hold_exit) memcpy(&exit, message + 1, sizeof exit);
    end.outcome = launch::outcome_from_wait(exit.code, exit.status, o_.pid1);
    return true;
}

Result<launch::Outcome> Relay::reap() {
    siginfo_t info = {};
    while (waitid(P_PIDFD, static_cast<id_t>(o_.pidfd), &info, WEXITED) < 0)
        if (errno != EINTR) return os_error(errno, "waiting for the payload");
    return launch::outcome_from_wait(info.si_code, info.si_status, o_.pid1);
}

Result<RelayEnd> Relay::run() {
    RelayEnd end;
    resize();
    if (o_.console >= 0) fcntl(o_.console, F_SETFL, fcntl(o_.console, F_GETFL) | O_NONBLOCK);
    int console_pause = 0;
    for (;;) {
        pollfd fds[] = {{signals_.fd(), POLLIN, 0},
                        {o_.pidfd, POLLIN, 0},
                        {console_pause ? -1 : o_.console, POLLIN, 0},
                        {input_, POLLIN, 0},
                        {o_.notify, POLLIN, 0},
                        {o_.link, POLLIN, 0}};
        // A console that nobody has open answers EIO at once: it is asked again a little later.
        if (poll(fds, std::size(fds), console_pause ? console_pause : -1) < 0 && errno != EINTR) return os_error(errno, "waiting");
        console_pause = 0;
        if (fds[0].revents) take_signals();
        if (fds[4].revents) take_notification();
        if (fds[2].revents && !take_output()) console_pause = 20;
        if (fds[3].revents && !take_input()) input_ = -1;
        if (detached_) {
            end.detached = true;
            return end;
        }
        bool ended = fds[5].revents && take_link(end);
        if (fds[1].revents) {
            end.outcome = TRY(reap());
            ended = true;
        }
        if (!ended) continue;
        while (o_.console >= 0 && take_output()) {
        }
        return end;
    }
}

}  // namespace

Result<RelayEnd> relay(const SignalTrap& signals, const RelayOptions& options) { return Relay(signals, options).run(); }

}  // namespace croft::run
