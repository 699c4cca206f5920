// The parts of relay.h that touch this process and its terminal for a while.
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/text.h"
#include "run/relay.h"

namespace croft::run {

namespace {

// All that a person or a supervisor may send to a command and mean its payload. SIGTSTP is not among them:
// stopping the command itself is what a shell's ^Z is for. SIGPIPE is only kept from killing us.
sigset_t trapped() {
    sigset_t set;
    sigemptyset(&set);
    for (int signal :
         {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT, SIGWINCH, SIGPIPE})
        sigaddset(&set, signal);
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) sigaddset(&set, signal);
    return set;
}

}  // namespace

Result<SignalTrap> SignalTrap::set() {
    SignalTrap trap;
    sigset_t set = trapped();
    if (sigprocmask(SIG_BLOCK, &set, &trap.before_) < 0) return os_error(errno, "blocking signals");
    trap.fd_ = Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (trap.fd_) return trap;
    int err = errno;
    sigprocmask(SIG_SETMASK, &trap.before_, nullptr);
    return os_error(err, "making a descriptor for signals");
}

SignalTrap::~SignalTrap() {
    // Moved from, or never set: the mask is somebody else's matter.
    if (!fd_) return;
    // What arrived too late to be forwarded must not hit us when the mask opens.
    signalfd_siginfo unused;
    while (read(fd_.get(), &unused, sizeof unused) > 0) {
    }
    sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Result<RawTerminal> RawTerminal::set(int terminal) {
    RawTerminal raw;
    if (tcgetattr(terminal, &raw.before_) < 0)
        return error(Errc::invalid, "standard input is no terminal: leave out -t, or run this from one");
    termios wanted = raw.before_;
    cfmakeraw(&wanted);
    // A background job would be stopped by SIGTTOU here; nothing is to be relayed for it anyway.
    if (tcsetattr(terminal, TCSADRAIN, &wanted) < 0)
        return os_error(errno, "putting the terminal into raw mode");
    raw.terminal_ = terminal;
    return raw;
}

RawTerminal::RawTerminal(RawTerminal&& other) noexcept
    : terminal_(std::exchange(other.terminal_, -1)), before_(other.before_) {}

RawTerminal::~RawTerminal() {
    if (terminal_ >= 0) tcsetattr(terminal_, TCSADRAIN, &before_);
}

Result<std::string> parse_detach_keys(std::string_view text) {
    std::string keys;
    if (text.empty() || text == "none") return keys;
    for (const std::string& word : split(text, ',')) {
        std::string key = lower(word);
        bool control = key.size() == 6 && key.starts_with("ctrl-");
        char last = control ? key[5] : '\0';
        if (word.size() == 1)
            keys += word[0];
        else if (control && ((last >= 'a' && last <= 'z') || (last >= '@' && last <= '_' && last != '@')))
            keys += static_cast<char>(last & 0x1f);
        else if (control && last == '@')
            keys += '\0';
        else
            return error(Errc::invalid,
                         cat(quoted(word),
                             " is no detach key (a character, or ctrl- with a letter or one of @[\\]^_)"));
    }
    return keys;
}

}  // namespace croft::run
