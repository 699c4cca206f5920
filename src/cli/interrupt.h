// For work that takes long and can be ended well: SIGINT, SIGTERM and SIGHUP ask for its end in place of ending the process.
#pragma once

namespace croft::cli {

// From its making on. What was ignored stays ignored.
class Interrupt {
  public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;
    // The first signal that came; 0: none.
    static int signal();
};

// Dies of the signal, as the caller would have without Interrupt: a shell or a job's unit then knows why.
[[noreturn]] void die_of(int signal);

}  // namespace croft::cli
