// relay: a foreground command's life after the launch: signals in, terminal both ways, the outcome out.
//
// Who may call it: manager/ for `run`, `boot`, `exec` and `attach`. Streams that are not a terminal are not
// relayed at all: the payload has inherited the caller's own three.
#pragma once

#include <signal.h>
#include <sys/types.h>
#include <termios.h>

#include <functional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "launch/outcome.h"

namespace croft::run {

// Collects the signals that are to be forwarded, from its making to its end. Made before launch(), so that
// none can kill the command between the start of the machine and the relay. The payload's own mask is clean
// all the same.
class SignalTrap {
  public:
    static Result<SignalTrap> set();
    SignalTrap(SignalTrap&&) = default;
    SignalTrap& operator=(SignalTrap&&) = delete;
    ~SignalTrap();
    int fd() const { return fd_.get(); }

  private:
    SignalTrap() = default;
    Fd fd_;
    sigset_t before_ = {};
};

// Puts a terminal into raw mode for its life.
class RawTerminal {
  public:
    static Result<RawTerminal> set(int terminal);
    RawTerminal(RawTerminal&& other) noexcept;
    RawTerminal& operator=(RawTerminal&&) = delete;
    ~RawTerminal();

  private:
    RawTerminal() = default;
    int terminal_ = -1;
    termios before_ = {};
};

struct RelayOptions {
    pid_t pid = -1;
    int pidfd = -1;               // -1: somebody else's child (attach); the relay then ends with the console
    int console = -1;             // pty master; -1: streams are inherited
    int input = 0, output = 1;    // the caller's side of the console; input -1: nothing is typed
    int notify = -1;              // readiness socket
    std::function<void()> ready;  // called once when READY=1 has come from inside
    std::string detach_keys = "\x10\x11";  // ctrl-p ctrl-q; empty: none
    int link = -1;                         // attach: the connection to croft-hold; its end ends the relay
    int changes = -1;  // some further descriptor: whenever it is readable, `changed` is called and reads it
    std::function<void()> changed;
    bool child = true;  // false: its exit status is somebody else's to take, and the outcome is left "running"
    bool pid1 = true;  // false for exec: SIGHUP and SIGINT are then just signals
};

struct RelayEnd {
    bool detached = false;    // the detach keys were typed; the machine runs on
    launch::Outcome outcome;  // running when detached
};

// Forwards signals (SIGTSTP stops the command itself), the terminal's size and its bytes, until the payload
// has ended and its output is drained. Reaps the payload. Does not touch terminal modes: the caller holds a
// RawTerminal.
Result<RelayEnd> relay(const SignalTrap& signals, const RelayOptions& options);

// "ctrl-p,ctrl-q" or "a,b" as bytes.
Result<std::string> parse_detach_keys(std::string_view text);

}  // namespace croft::run
