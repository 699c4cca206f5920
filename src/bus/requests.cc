#include "bus/requests.h"

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/text.h"
#include "bus/image_words.h"

namespace croft::bus {

namespace {
bool is_option_name(std::string_view key) {
    if (key.empty() || key[0] == '-') return false;
    for (char c : key)
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    return true;
}

std::string whom_text(const Question& about) {
    bool images = cli::is_about_images(about.access);
    const std::string& name = images ? about.image : about.machine;
    if (name.empty()) return images ? "an image" : "a machine";
    if (name == "*") return images ? "all images" : "all machines";
    return cat(images ? "image " : "machine ", quoted(name));
}

Error denied(const Question& about) {
    std::string hint;
    if (about.access == cli::Access::image_transfer)
        hint = " (whatever names files or directories needs that; an archive can be handed over as standard input, "
               "'croft image import - NAME', and taken as standard output)";
    return error(Errc::denied, cat("you may not ", access_phrase(about.access), " ", whom_text(about), hint,
                                   "; an administrator can allow it with a polkit rule for ", bus_name, ".",
                                   access_name(about.access)));
}

// One for each machine or image that the command is about.
std::vector<Question> questions_of(const Command& command, bool interactive) {
    bool images = cli::is_about_images(command.access);
    std::vector<std::string> names = images ? command.images : command.machines;
    if (names.empty()) names.emplace_back();
    std::vector<Question> out;
    for (const std::string& name : names)
        out.push_back({.access = command.access,
                       .machine = images ? command.machine() : name,
                       .verb = command.verb->name,
                       .user = command.user,
                       .interactive = interactive,
                       .image = images ? name : "",
                       .source = command.source});
    return out;
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
    // What a list shows is decided machine by machine, so anybody may ask for one.
    if (command->verb->function == cli::verb_list) return permitted(std::move(call), command, asked);
    name_and_ask(std::move(call), command, asked);
}

void Requests::name_and_ask(Message call, std::shared_ptr<Command> command, std::shared_ptr<Asked> asked) {
    std::string sender = sd_bus_message_get_sender(call.get());
    // Root hears from the command itself what is near.
    if (command->lookups.empty() || authority_.may_everything(sender)) return ask(std::move(call), command, asked);
    seen_images(call.get(), [this, command, asked](sd_bus_message* raw, const std::vector<store::Named>& seen) {
        if (Result<> named = name_images(*command, seen); !named)
            reply_error(raw, named.error());
        else
            ask(Message::share(raw), command, asked);
    });
}

void Requests::ask(Message call, std::shared_ptr<Command> command, std::shared_ptr<Asked> asked) {
    bool interactive = sd_bus_message_get_allow_interactive_authorization(call.get()) > 0;
    std::vector<Question> questions = questions_of(*command, interactive);
    Question about = questions[0];
    // A refusal of several names none of them.
    if (questions.size() > 1) about.machine.clear(), about.image.clear();
    authority_.ask_all(sd_bus_message_get_sender(call.get()), std::move(questions),
                       [this, call, command, asked, about](Answer answer) {
                           if (answer == Answer::yes) return permitted(call, command, asked);
                           refuse(call.get(), about, answer);
                       });
}

void Requests::seen_images(sd_bus_message* raw,
                           std::function<void(sd_bus_message*, const std::vector<store::Named>&)> then) {
    Message call = Message::share(raw);
    gate_.visible(sd_bus_message_get_sender(raw), Kinds::images, [this, call, then = std::move(then)](const Seen& seen) {
        std::vector<store::Named> all;
        for (const auto& [name, image] : images_.all())
            if (seen.images.contains(name)) all.push_back(image.named);
        then(call.get(), all);
    });
}

void Requests::permit(sd_bus_message* raw, const Question& question, std::function<void(sd_bus_message*)> then) {
    Message call = Message::share(raw);
    authority_.ask(sd_bus_message_get_sender(raw), question,
                   [this, call, question, then = std::move(then)](Answer answer) {
                       if (answer == Answer::yes)
                           then(call.get());
                       else
                           refuse(call.get(), question, answer);
                   });
}

void Requests::refuse(sd_bus_message* raw, const Question& about, Answer answer) {
    const std::string& machine = about.machine;
    if (about.access == cli::Access::view) {
        reply_error(raw, no_such_machine(machine));
        return;
    }
    if (answer == Answer::challenge && !about.interactive) {
        sd_bus_reply_method_errorf(raw, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, "%s",
                                   denied(about).text.c_str());
        return;
    }
    // Images that are there have been looked for among those that the caller sees.
    if (machine.empty() || machine == "*" || cli::is_about_images(about.access)) {
        reply_error(raw, denied(about));
        return;
    }
    Message call = Message::share(raw);
    authority_.ask(sd_bus_message_get_sender(raw), look_at_machine(machine), [call, about](Answer sees) {
        reply_error(call.get(), sees == Answer::yes ? denied(about) : no_such_machine(about.machine));
    });
}

void Requests::permitted(Message call, std::shared_ptr<Command> command, std::shared_ptr<Asked> asked) {
    std::string sender = sd_bus_message_get_sender(call.get());
    if (command->verb->function != cli::verb_list || authority_.may_everything(sender))
        return start(call, *command, *asked);
    gate_.visible(sender, Kinds::machines, [this, call, command, asked](const Seen& seen) {
        narrow_list(*command, {seen.machines.begin(), seen.machines.end()});
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
