// From a method call that changes something to a job: read the arguments, ask polkit, start the job, answer.
// Called by the objects (*_object.cc, manager_images.cc).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bus/authority.h"
#include "bus/gate.h"
#include "bus/jobs.h"

namespace croft::bus {

// What a method's call means as a command line, before it is judged.
struct Asked {
    std::string verb;
    std::vector<std::string> words;
    std::string terminal, directory;
    bool attached = false;
    std::vector<Fd> streams;
    Fd input, output;  // standard input or output alone
    Fd master;         // of a new terminal whose other end the streams are: goes back with the answer
    // Answers the call when the job has ended; without it the answer is the job.
    std::function<void(sd_bus_message* call, const Job& job)> at_end;
};

class Requests {
  public:
    Requests(Gate& gate, Images& images, Jobs& jobs, Authority& authority)
        : gate_(gate), images_(images), jobs_(jobs), authority_(authority) {}
    // Answers the call, now or later, with the job (and the terminal) or an error.
    void handle(sd_bus_message* call, Result<Asked> asked);
    // For what is no job: `then`, if the caller may.
    void permit(sd_bus_message* call, const Question& question, std::function<void(sd_bus_message* call)> then);
    // Images of the store that the caller may look at.
    void seen_images(sd_bus_message* call,
                     std::function<void(sd_bus_message* call, const std::vector<store::Named>& seen)> then);

  private:
    // The answer to who may not: the same as for a machine that is not there, unless it may look.
    void refuse(sd_bus_message* call, const Question& about, Answer answer);
    // Makes words whole names, then asks.
    void name_and_ask(Message call, std::shared_ptr<Command> command, std::shared_ptr<Asked> asked);
    void ask(Message call, std::shared_ptr<Command> command, std::shared_ptr<Asked> asked);
    void permitted(Message call, std::shared_ptr<Command> command, std::shared_ptr<Asked> asked);
    void start(Message call, const Command& command, Asked& asked);
    Gate& gate_;
    Images& images_;
    Jobs& jobs_;
    Authority& authority_;
};

// Options a{sv} as words; Errc::invalid for a key that is no option's name.
Result<std::vector<std::string>> option_words(
    const std::vector<std::pair<std::string, std::string>>& options);
// A new terminal: `asked` gets its master, and its other end as the three streams.
Result<> open_terminal(Asked& asked);
Error no_such_machine(const std::string& name);

}  // namespace croft::bus
