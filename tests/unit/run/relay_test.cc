// A foreground command's life: what is typed, shown, signalled and told.
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "machine.h"
#include "run/notify.h"
#include "run/relay.h"

namespace croft::run::testing {
namespace {

using namespace launch;

class RelayOfMachine : public Machine {
  protected:
    LaunchPlan terminal_plan(const std::string& script) const {
        LaunchPlan p = plan(Users::own, script);
        p.process.terminal = true;
        p.inside.push_back(OpenConsole{});
        return p;
    }
};

// The person at the caller's terminal: a process that types and notes what it sees.
class Person {
  public:
    // Types `keys` when `prompt` was shown; reports all that was shown in the end.
    Person(std::string prompt, std::string keys) {
        int master, slave, ends[2];
        winsize size = {.ws_row = 50, .ws_col = 120, .ws_xpixel = 0, .ws_ypixel = 0};
        EXPECT_EQ(openpty(&master, &slave, nullptr, nullptr, &size), 0);
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        report_ = Fd(ends[0]);
        pid_ = fork();
        if (pid_ == 0) {
            close(slave);
            work(master, ends[1], prompt, keys);
        }
        close(master), close(ends[1]);
        terminal = Fd(slave);
        termios raw;
        tcgetattr(slave, &raw);
        cfmakeraw(&raw);
        tcsetattr(slave, TCSANOW, &raw);
    }
    std::string saw() {
        terminal.reset();
        std::string text = read_output(report_.get());
        waitpid(pid_, nullptr, 0);
        report_.reset();
        return text;
    }
    Fd terminal;

  private:
    [[noreturn]] static void work(int master, int report, const std::string& prompt,
                                  const std::string& keys) {
        std::string text;
        char part[4096];
        bool typed = false;
        for (ssize_t n; (n = read(master, part, sizeof part)) > 0;) {
            text.append(part, static_cast<size_t>(n));
            if (!typed && text.find(prompt) != text.npos) typed = write(master, keys.data(), keys.size()) > 0;
        }
        _exit(write_all(report, text) ? 0 : 1);
    }
    Fd report_;
    pid_t pid_ = -1;
};

TEST_F(RelayOfMachine, TypesShowsAndResizes) {
    Person person("name?", "croft\r");
    SignalTrap signals = std::move(SignalTrap::set().value());
    Result<Launched> launched =
        launch(terminal_plan("echo name?; read x; stty size; echo hello $x; exit 3"), environment());
    ASSERT_TRUE(launched) << launched.error().text;
    RelayOptions o;
    o.pid = launched->pid, o.pidfd = launched->pidfd.get(), o.console = launched->console.get();
    o.input = o.output = person.terminal.get();
    Result<RelayEnd> end = relay(signals, o);
    ASSERT_TRUE(end) << end.error().text;
    EXPECT_FALSE(end->detached);
    EXPECT_EQ(end->outcome.status, 3);
    std::string saw = person.saw();
    EXPECT_NE(saw.find("50 120\r\nhello croft\r\n"), saw.npos) << saw;
    remove_cgroup(*launched);
}

TEST_F(RelayOfMachine, LosesNothingAtTheEnd) {
    Person person("never", "");
    SignalTrap signals = std::move(SignalTrap::set().value());
    Result<Launched> launched = launch(terminal_plan("seq 20000; echo last"), environment());
    ASSERT_TRUE(launched) << launched.error().text;
    RelayOptions o;
    o.pid = launched->pid, o.pidfd = launched->pidfd.get(), o.console = launched->console.get();
    o.input = o.output = person.terminal.get();
    ASSERT_TRUE(relay(signals, o));
    std::string saw = person.saw();
    EXPECT_TRUE(saw.ends_with("20000\r\nlast\r\n")) << saw.substr(saw.size() > 100 ? saw.size() - 100 : 0);
    EXPECT_NE(saw.find("\r\n9999\r\n10000\r\n"), saw.npos);
    remove_cgroup(*launched);
}

TEST_F(RelayOfMachine, DetachKeysLeaveTheMachineRunning) {
    // A ctrl-p alone is the payload's.
    Person person("up",
                  "a\x10"
                  "b\x10\x11");
    SignalTrap signals = std::move(SignalTrap::set().value());
    Result<Launched> launched = launch(terminal_plan("echo up; exec cat"), environment());
    ASSERT_TRUE(launched) << launched.error().text;
    RelayOptions o;
    o.pid = launched->pid, o.pidfd = launched->pidfd.get(), o.console = launched->console.get();
    o.input = o.output = person.terminal.get();
    Result<RelayEnd> end = relay(signals, o);
    ASSERT_TRUE(end) << end.error().text;
    EXPECT_TRUE(end->detached);
    EXPECT_EQ(kill(launched->pid, 0), 0);
    person.saw();
    undo(*launched);
}

TEST_F(RelayOfMachine, ForwardsSignals) {
    SignalTrap signals = std::move(SignalTrap::set().value());
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    Fd output(ends[0]), input(ends[1]);
    LaunchEnvironment e = environment();
    e.stdio[1] = input.get();
    Result<Launched> launched =
        launch(plan(Users::own, "trap 'exit 6' USR1; echo up; while :; do sleep 0.01; done"), e);
    ASSERT_TRUE(launched) << launched.error().text;
    input.reset();
    char byte;
    ASSERT_EQ(read(output.get(), &byte, 1), 1);
    kill(getpid(), SIGUSR1);
    RelayOptions o;
    o.pid = launched->pid, o.pidfd = launched->pidfd.get();
    Result<RelayEnd> end = relay(signals, o);
    ASSERT_TRUE(end) << end.error().text;
    EXPECT_EQ(end->outcome.status, 6);
    remove_cgroup(*launched);
}

TEST(Relay, DetachKeys) {
    EXPECT_EQ(parse_detach_keys("ctrl-p,ctrl-q").value(), "\x10\x11");
    EXPECT_EQ(parse_detach_keys("a,ctrl-B,,").has_value(), false);
    EXPECT_EQ(parse_detach_keys("a,ctrl-]").value(), "a\x1d");
    EXPECT_EQ(parse_detach_keys("").value(), "");
    EXPECT_FALSE(parse_detach_keys("ctrl-1"));
    EXPECT_FALSE(parse_detach_keys("ab"));
}

TEST(Relay, RawTerminalNeedsATerminal) {
    Fd null = std::move(open_at(AT_FDCWD, "/dev/null", O_RDWR).value());
    Result<RawTerminal> raw = RawTerminal::set(null.get());
    ASSERT_FALSE(raw);
    EXPECT_EQ(raw.error().code, Errc::invalid);
}

TEST(Notify, OnlyTheNamedProcessCanBeReady) {
    int ends[2], on = 1;
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    Fd in(ends[0]), out(ends[1]);
    ASSERT_EQ(setsockopt(in.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    auto say = [&](std::string_view text) { return send(out.get(), text.data(), text.size(), 0); };
    say("STATUS=x\nREADY=1");
    EXPECT_TRUE(receive_ready(in.get(), getpid()));
    say("READY=1\n");
    EXPECT_FALSE(receive_ready(in.get(), getpid() + 1));
    say("READY=11\nNOT_READY=1");
    EXPECT_FALSE(receive_ready(in.get(), getpid()));
    EXPECT_FALSE(receive_ready(in.get(), getpid())) << "nothing was said";
}

}  // namespace
}  // namespace croft::run::testing
