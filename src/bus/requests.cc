#include "bus/requests.h"

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/text.h"

namespace croft::bus {

namespace {
bool is_option_name(std::string_view key) {
    if (key.empty() || key[0] == '-') return false;
    for (char c : key)
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    return true;
}

Error denied(const std::string& machine, cli::Access access) {
    return error(Errc::denied, cat("you may not ", access_phrase(access), " ",
                                   machine.empty()  ? "a machine"
                                   : machine == "*" ? "all machines"
                                                    : cat("machine ", quoted(machine)),
                                   "; an administrator can allow it with a polkit rule for ", bus_name, ".",
                                   access_name(access)));
}
}  // namespace

// The sentence of manager::find(), so that nobody can tell a machine that is hidden from one that is not
// there.
Error no_such_machine(const std::string& name) {
    return error(Errc::not_found,
                 cat("there is no machine ", quoted(name), "; `croft list` shows those that are there"));
}

Result<std::vector<std::string>> option_words(
    const std::vector<std::pair<std::string, std::string>>& options) {
    std::vector<std::string> out;
    for (const auto& [key, value] : options) {
        if (!is_option_name(key))
            return error(Errc::invalid, cat(quoted(key), " is no name of an option (as \"timeout\")"));
        out.push_back(cat("--", key, "=", value));
    }
    return out;
}

Result<> open_terminal(Asked& asked) {
    int master = -1, slave = -1;
    if (openpty(&master, &slave, nullptr, nullptr, nullptr) < 0) return os_error(errno, "opening a terminal");
    asked.master = Fd(master);
    Fd end(slave);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    for (int i = 0; i < 3; ++i) {
        Fd copy(fcntl(slave, F_DUPFD_CLOEXEC, 3));
        if (!copy) return os_error(errno, "opening a terminal");
        asked.streams.push_back(std::move(copy));
    }
    return {};
}

void Requests::handle(sd_bus_message* raw, Result<Asked> wish) {
    Message call = Message::share(raw);
    if (!wish) {
        reply_error(raw, wish.error());
        return;
    }
    auto made = make_command(wish->verb, wish->words);
    if (!made) {
        reply_error(raw, made.error());
        return;
    }
    auto command = std::make_shared<Command>(std::move(*made));
    auto asked = std::make_shared<Asked>(std::move(*wish));
    std::string sender = sd_bus_message_get_sender(raw);
    // What a list shows is decided machine by machine, so anybody may ask for one.
    if (command->verb->function == cli::verb_list) return permitted(std::move(call), command, asked);
    std::vector<Question> questions;
    bool interactive = sd_bus_message_get_allow_interactive_authorization(raw) > 0;
    for (const std::string& machine : command->machines)
        questions.push_back({command->access, machine, command->verb->name, command->user, interactive});
    if (questions.empty())
        questions.push_back({command->access, "", command->verb->name, command->user, interactive});
    std::string first = questions[0].machine;
    authority_.ask_all(
        sender, std::move(questions), [this, call, command, asked, sender, first](Answer answer) {
            if (answer == Answer::yes) return permitted(call, command, asked);
            refuse(call.get(), sender, command->machines.size() == 1 ? first : "", command->access, answer);
        });
}

void Requests::permit(sd_bus_message* raw, const Question& question, std::function<void(sd_bus_message*)> then) {
    Message call = Message::share(raw);
    std::string sender = sd_bus_message_get_sender(raw);
    authority_.ask(sender, question, [this, call, sender, question, then = std::move(then)](Answer answer) {
        if (answer == Answer::yes)
            then(call.get());
        else
            refuse(call.get(), sender, question.machine, question.access, answer);
    });
}

void Requests::refuse(sd_bus_message* raw, const std::string& sender, const std::string& machine,
                      cli::Access access, Answer answer) {
    bool interactive = sd_bus_message_get_allow_interactive_authorization(raw) > 0;
    if (access == cli::Access::view) {
        reply_error(raw, no_such_machine(machine));
        return;
    }
    if (answer == Answer::challenge && !interactive) {
        sd_bus_reply_method_errorf(raw, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, "%s",
                                   denied(machine, access).text.c_str());
        return;
    }
    if (machine.empty() || machine == "*") {
        reply_error(raw, denied(machine, access));
        return;
    }
    Message call = Message::share(raw);
    authority_.ask(sender, {.machine = machine, .verb = "show"}, [call, machine, access](Answer sees) {
        reply_error(call.get(), sees == Answer::yes ? denied(machine, access) : no_such_machine(machine));
    });
}

void Requests::permitted(Message call, std::shared_ptr<Command> command, std::shared_ptr<Asked> asked) {
    std::string sender = sd_bus_message_get_sender(call.get());
    if (command->verb->function != cli::verb_list || authority_.may_everything(sender))
        return start(call, *command, *asked);
    gate_.visible(sender, [this, call, command, asked](std::set<std::string> names) {
        narrow_list(*command, {names.begin(), names.end()});
        start(call, *command, *asked);
    });
}

void Requests::start(Message call, const Command& command, Asked& asked) {
    std::string sender = sd_bus_message_get_sender(call.get());
    Request request;
    request.command = command;
    request.owner = authority_.uid_of(sender);
    if (asked.attached) request.client = sender;
    request.terminal = asked.terminal;
    if (names_host_paths(command.access)) request.directory = asked.directory;
    request.streams = std::move(asked.streams);
    request.input = std::move(asked.input), request.output = std::move(asked.output);
    if (asked.at_end)
        request.at_end = [call, then = std::move(asked.at_end)](const Job& job) { then(call.get(), job); };
    bool answers_later = static_cast<bool>(request.at_end);
    auto master = std::make_shared<Fd>(std::move(asked.master));
    jobs_.run(std::move(request), [call, master, answers_later](const Job* job, const Error& why) {
        if (!job) {
            reply_error(call.get(), why);
            return;
        }
        if (answers_later) return;
        std::string path = path_of(job_prefix, job->id);
        if (*master)
            sd_bus_reply_method_return(call.get(), "ho", master->get(), path.c_str());
        else
            sd_bus_reply_method_return(call.get(), "o", path.c_str());
    });
}

}  // namespace croft::bus
