// From argv to an exit status.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "base/text.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cli/verbs.h"
#include "manager/supervisor.h"

namespace croft::cli {

namespace {
std::span<const NamedFunction> image_functions;

Error unknown_verb(std::string_view word) {
    std::vector<std::string> names;
    for (const Verb& verb : verbs())
        if (verb.group != Group::hidden)
            for (std::string& name : names_of(verb)) names.push_back(std::move(name));
    std::string near = closest(word, names);
    return error(Errc::usage, cat(quoted(word), " is no verb of croft",
                                  near.empty() ? "" : cat(" (did you mean ", quoted(near), "?)"),
                                  "; `croft help` lists them"));
}

int failed(const Error& error, OwnStatus rule) {
    log(LogLevel::error, error.text);
    return status_of(error, rule);
}

int finish(const Result<int>& result, OwnStatus rule) {
    if (result) return *result;
    return failed(result.error(), rule);
}

// Never returns when it goes well.
Result<> become_supervised(char** argv) {
    manager::Paths paths = TRY(manager::find_paths());
    if (!manager::machines_are_units(paths)) return {};
    std::string program = paths.helpers + "/croft-systemd";
    execv(program.c_str(), argv);
    if (errno == ENOENT)
        return error(Errc::unsupported,
                     cat("machines are units of systemd here, and ", quoted(program),
                         ", which speaks with it, is not installed; install all of croft, or set CROFT_SUPERVISOR=direct "
                         "to have machines without systemd"));
    return os_error(errno, cat("machines are units of systemd here, and ", quoted(program),
                               " speaks with it; executing it"));
}

int run_verb(const Verb& verb, std::span<char* const> arguments) {
    return finish(verb.function(verb, arguments), verb.own_status);
}

VerbFunction image_function(const Verb& verb) {
    for (const NamedFunction& one : image_functions)
        if (one.verb == verb.name) return one.function;
    return nullptr;
}

// Returns only when it cannot be.
Error become_images(char** argv) {
    auto paths = manager::find_paths();
    if (!paths) return std::move(paths).error();
    std::string program = paths->helpers + "/croft-images";
    execv(program.c_str(), argv);
    if (errno == ENOENT)
        return error(Errc::unsupported,
                     cat(quoted(program),
                         ", which does what is about images, is not installed; install all of croft"));
    return os_error(errno, cat("executing ", quoted(program), ", which does what is about images"));
}

// `croft image` alone, or with what is no verb of it.
int noun_alone(std::string_view noun, std::span<char* const> rest) {
    std::string_view word = rest.empty() ? "" : rest[0];
    if (word == "--help" || word == "-h") {
        Result<> printed = print(noun_help(noun));
        return printed ? 0 : failed(printed.error(), OwnStatus::by_kind);
    }
    if (word.empty() || word[0] == '-')
        return failed(error(Errc::usage, cat(noun, " needs a verb behind it, and options behind that (croft ",
                                             noun, " --help lists the verbs)")),
                      OwnStatus::by_kind);
    return failed(unknown_verb(cat(noun, " ", word)), OwnStatus::by_kind);
}

// Options before the verb. Returns nothing when the verb comes next.
std::optional<int> global_option(std::string_view word) {
    if (word == "--help" || word == "-h") {
        Result<> printed = print(general_help());
        return printed ? 0 : failed(printed.error(), OwnStatus::by_kind);
    }
    if (word == "--version" || word == "-V") return run_verb(*find_verb("version"), {});
    if (word == "--debug") {
        set_log("croft", LogLevel::debug);
        return {};
    }
    if (word == "--system") {
        ask_for_system();
        return {};
    }
    return failed(error(Errc::usage, cat(quoted(word),
                                         " is no option of croft itself (--help, --version, --debug, --system); "
                                         "options of a verb stand behind it: croft run --name=web …")),
                  OwnStatus::by_kind);
}
}  // namespace

int status_of(const Error& error, OwnStatus rule) {
    if (rule == OwnStatus::by_kind || error.code == Errc::not_executable || error.code == Errc::no_command)
        return errc_row(error.code).exit_status;
    return 125;
}

int run_command_line(int argc, char** argv) {
    fill_standard_streams();
    std::span<char* const> words(argv, static_cast<size_t>(argc));
    size_t at = 1;
    for (; at < words.size() && words[at][0] == '-'; ++at)
        if (auto status = global_option(words[at])) return *status;
    if (at >= words.size()) return *global_option("--help");
    auto [verb, length] = find_verb(words.subspan(at));
    if (!verb && is_noun(words[at])) return noun_alone(words[at], words.subspan(at + 1));
    if (!verb) return failed(unknown_verb(words[at]), OwnStatus::by_kind);
    std::span<char* const> arguments = words.subspan(at + length);
    if (goes_over_bus(*verb) && !(verb->local_part && knows_bus()))
        return finish(run_over_bus(*verb, arguments, words), verb->own_status);
    if (verb->supervised && !manager::supervisor())
        if (Result<> stayed = become_supervised(argv); !stayed)
            return failed(stayed.error(), verb->own_status);
    if (verb->images) {
        VerbFunction function = image_function(*verb);
        return function ? finish(function(*verb, arguments), verb->own_status) : failed(become_images(argv), verb->own_status);
    }
    return run_verb(*verb, arguments);
}

void set_image_functions(std::span<const NamedFunction> functions) {
    image_functions = functions;
}

}  // namespace croft::cli
