#include "run/relay.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "run/hold_protocol.h"
#include "run/notify.h"

namespace croft::run {

namespace {

// Bytes on their way: read into when empty, written out as far as the other side takes them.
class Buffer {
  public:
    bool empty() const { return from_ == to_; }
    void put(std::string_view bytes) {
        memcpy(bytes_, bytes.data(), bytes.size());
        from_ = 0, to_ = bytes.size();
    }
    // What is put() must fit: a read of `room`, and keys that were held back.
    static constexpr size_t room = 4096, size = room + 64;
    // False when the other side is gone for good.
    bool write_to(int fd) {
        ssize_t n = write(fd, bytes_ + from_, to_ - from_);
        if (n < 0) return errno == EAGAIN || errno == EINTR;
        from_ += static_cast<size_t>(n);
        return true;
    }
    void drop() { from_ = to_ = 0; }

  private:
    char bytes_[size];
    size_t from_ = 0, to_ = 0;
};

// Looks for the detach keys in what is typed. A beginning of them is held back until it is clear what it
// becomes.
class KeyWatch {
  public:
    explicit KeyWatch(std::string_view keys) : keys_(keys.substr(0, 32)) {}
    // What of the input goes on to the payload; nothing once the keys are complete.
    std::string filter(std::string_view typed) {
        std::string out;
        for (char c : typed) {
            if (keys_.empty()) {
                out += c;
                continue;
            }
            if (c != keys_[held_]) {
                out.append(keys_.substr(0, held_));
                held_ = 0;
            }
            if (c != keys_[held_])
                out += c;
            else if (++held_ == keys_.size())
                return detached = true, "";
        }
        return out;
    }
    bool detached = false;

  private:
    std::string_view keys_;
    size_t held_ = 0;
};

class Relay {
  public:
    Relay(const SignalTrap& signals, const RelayOptions& options)
        : signals_(signals.fd()),
          o_(options),
          keys_(options.detach_keys),
          input_open_(options.input >= 0 && options.console >= 0) {}
    Result<RelayEnd> run();

  private:
    Result<> turn();
    void take_signals();
    void copy_size() const;
    void read_console();
    void read_input();
    void read_link();
    void read_notification();
    Result<> reap();
    void drain_console();

    const int signals_;
    const RelayOptions& o_;
    KeyWatch keys_;
    Buffer to_payload_, to_caller_;
    bool left_ = false, input_open_, console_hung_ = false, output_open_ = true, ready_ = false;
    std::optional<launch::Outcome> outcome_;
};

// Signals go to the process by its pidfd: a number could be somebody else's by now.
void Relay::take_signals() {
    signalfd_siginfo info;
    while (read(signals_, &info, sizeof info) == sizeof info) {
        auto signal = static_cast<int>(info.ssi_signo);
        if (signal == SIGWINCH) copy_size();
        if (signal == SIGWINCH || signal == SIGPIPE) continue;
        if (o_.pidfd >= 0) syscall(SYS_pidfd_send_signal, o_.pidfd, signal, nullptr, 0);
        // Attached to somebody else's child: going away is all that is meant.
        else if (signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGTERM)
            left_ = true;
    }
}

void Relay::copy_size() const {
    if (o_.console < 0) return;
    winsize size;
    if (ioctl(o_.output, TIOCGWINSZ, &size) == 0 ||
        (o_.input >= 0 && ioctl(o_.input, TIOCGWINSZ, &size) == 0))
        ioctl(o_.console, TIOCSWINSZ, &size);
}

// A master whose slave nobody has open reads EIO. That is for now only: an init opens and closes its console
// as it likes. Until then it is looked at now and then instead of at once, for ever.
void Relay::read_console() {
    char bytes[Buffer::room];
    ssize_t n = read(o_.console, bytes, sizeof bytes);
    console_hung_ = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    if (n > 0 && output_open_) to_caller_.put({bytes, static_cast<size_t>(n)});
}

void Relay::read_input() {
    char bytes[Buffer::room];
    ssize_t n = read(o_.input, bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) return to_payload_.put(keys_.filter({bytes, static_cast<size_t>(n)}));
    // The end of a pipe is what ^D is on a terminal.
    input_open_ = false;
    to_payload_.put("\x04");
}

void Relay::read_link() {
    char bytes[1 + sizeof(HoldExit)];
    ssize_t n = recv(o_.link, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EINTR) return;
    HoldExit end = {};
    if (n != sizeof bytes || bytes[0] != hold_exit) {
        outcome_ = launch::Outcome{launch::Outcome::Kind::running, 0, ""};
        return;
    }
    memcpy(&end, bytes + 1, sizeof end);
    outcome_ = launch::outcome_from_wait(end.code, end.status, o_.pid1);
}

void Relay::read_notification() {
    if (!receive_ready(o_.notify, o_.pid) || ready_) return;
    ready_ = true;
    if (o_.ready) o_.ready();
}

Result<> Relay::reap() {
    siginfo_t info = {};
    if (!o_.child) {
        outcome_ = launch::Outcome{};
        return {};
    }
    while (waitid(P_PIDFD, static_cast<id_t>(o_.pidfd), &info, WEXITED | __WALL) < 0)
        if (errno != EINTR) return os_error(errno, "waiting for the payload");
    outcome_ = launch::outcome_from_wait(info.si_code, info.si_status, o_.pid1);
    return {};
}

Result<> Relay::turn() {
    bool read_from_console = o_.console >= 0 && to_caller_.empty() && !console_hung_;
    short console_events =
        static_cast<short>((read_from_console ? POLLIN : 0) | (to_payload_.empty() ? 0 : POLLOUT));
    pollfd fds[] = {{signals_, POLLIN, 0},
                    {o_.pidfd, POLLIN, 0},
                    {console_events && !console_hung_ ? o_.console : -1, console_events, 0},
                    {input_open_ && to_payload_.empty() ? o_.input : -1, POLLIN, 0},
                    {to_caller_.empty() ? -1 : o_.output, POLLOUT, 0},
                    {ready_ ? -1 : o_.notify, POLLIN, 0},
                    {o_.link, POLLIN, 0},
                    {o_.changes, POLLIN, 0}};
    int n = poll(fds, std::size(fds), console_hung_ ? 20 : -1);
    if (n < 0 && errno != EINTR) return os_error(errno, "waiting for something to happen");
    if (n < 0) return {};
    console_hung_ = false;
    if (fds[0].revents) take_signals();
    if (fds[5].revents) read_notification();
    if (fds[2].revents & POLLOUT && !to_payload_.write_to(o_.console)) to_payload_.drop();
    if (fds[2].revents & (POLLIN | POLLHUP | POLLERR) && to_caller_.empty()) read_console();
    if (fds[4].revents && !to_caller_.write_to(o_.output)) output_open_ = false, to_caller_.drop();
    if (fds[3].revents) read_input();
    if (fds[7].revents) o_.changed();
    if (fds[6].revents) read_link();
    if (fds[1].revents) return reap();
    return {};
}

// What the payload wrote last is still in the terminal. Bounded, because a process that outlived it could
// write on, and because a caller's terminal that was stopped (^S) must not keep us.
void Relay::drain_console() {
    if (o_.console < 0 || !output_open_) return;
    for (int round = 0; round < 256; ++round) {
        while (!to_caller_.empty()) {
            pollfd writable = {o_.output, POLLOUT, 0};
            if (poll(&writable, 1, 5000) <= 0 || !to_caller_.write_to(o_.output)) return;
        }
        char bytes[Buffer::room];
        ssize_t n = read(o_.console, bytes, sizeof bytes);
        if (n <= 0) return;
        to_caller_.put({bytes, static_cast<size_t>(n)});
    }
}

Result<RelayEnd> Relay::run() {
    if (o_.console >= 0) {
        fcntl(o_.console, F_SETFL, fcntl(o_.console, F_GETFL) | O_NONBLOCK);
        copy_size();
    }
    while (!outcome_ && !keys_.detached && !left_) TRY(turn());
    if (!outcome_) return RelayEnd{.detached = true, .outcome = {}};
    drain_console();
    return RelayEnd{.detached = false, .outcome = std::move(*outcome_)};
}

}  // namespace

Result<RelayEnd> relay(const SignalTrap& signals, const RelayOptions& options) {
    return Relay(signals, options).run();
}

}  // namespace croft::run
