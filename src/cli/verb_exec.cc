// exec, shell, attach: into a machine that runs.
#include <unistd.h>

#include <cstdlib>

#include "base/text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "dialect/options.h"
#include "manager/exec.h"

namespace croft::cli {

namespace {
// "NAME=VALUE", or "NAME" for the caller's own value (left out when the caller has none).
Result<std::vector<std::pair<std::string, std::string>>> environment_option(const Arguments& args) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const std::string& text : args.values("--env")) {
        size_t equal = text.find('=');
        std::string name = text.substr(0, equal);
        if (name.empty()) return error(Errc::invalid, cat("--env: ", quoted(text), " is no NAME=VALUE"));
        if (equal != text.npos)
            out.emplace_back(name, text.substr(equal + 1));
        else if (const char* value = getenv(name.c_str()))
            out.emplace_back(name, value);
    }
    return out;
}

std::string detach_keys(const Arguments& args) {
    const std::string* keys = args.value("--detach-keys");
    return keys ? *keys : "";
}

// The machine's program sees the terminal's kind as it is: the caller's TERM goes along unless --env says
// otherwise.
void pass_term(manager::ExecOptions& options) {
    const char* term = getenv("TERM");
    if (options.terminal && term && *term)
        options.environment.insert(options.environment.begin(), {"TERM", term});
}

Result<> need_terminal(const char* who) {
    if (is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO)) return {};
    return error(Errc::usage, cat(who, " needs a terminal, but standard ",
                                  is_terminal(STDIN_FILENO) ? "output" : "input", " is none"));
}
}  // namespace

Result<int> verb_exec(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, SIZE_MAX));
    if (args.operands.size() < 2)
        return error(Errc::usage, cat("what shall be run in ", quoted(args.operands[0]),
                                      "? (croft exec NAME COMMAND…; `croft shell NAME` logs in)"));
    manager::ExecOptions options;
    auto command = dialect::without_dashes(std::span(args.operands).subspan(1));
    if (command.empty()) return error(Errc::usage, "nothing follows the --: name the command there");
    options.command.assign(command.begin(), command.end());
    if (const std::string* user = args.value("--user")) options.user = *user;
    if (const std::string* directory = args.value("--workdir")) options.directory = *directory;
    options.environment = TRY(environment_option(args));
    options.terminal = args.has("--tty");
    options.interactive = !args.has("--no-stdin");
    options.privileged = args.has("--privileged");
    options.detached = args.has("--detach");
    options.detach_keys = detach_keys(args);
    if (options.terminal && options.detached)
        return error(Errc::usage, "--tty and --detach exclude each other: nobody would be at the terminal");
    if (options.terminal) TRY(need_terminal("--tty"));
    pass_term(options);
    manager::Paths paths = TRY(manager::find_paths());
    return launch::exit_status(TRY(manager::exec(paths, args.operands[0], options)));
}

Result<int> verb_shell(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    const std::string& who = args.operands[0];
    size_t at = who.rfind('@');
    manager::ExecOptions options;
    if (at != who.npos) options.user = who.substr(0, at);
    std::string name = at == who.npos ? who : who.substr(at + 1);
    TRY(need_terminal("croft shell"));
    options.login = options.terminal = true;
    options.environment = TRY(environment_option(args));
    options.detach_keys = detach_keys(args);
    pass_term(options);
    manager::Paths paths = TRY(manager::find_paths());
    return launch::exit_status(TRY(manager::exec(paths, name, options)));
}

Result<int> verb_attach(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    TRY(need_terminal("croft attach"));
    manager::Paths paths = TRY(manager::find_paths());
    return launch::exit_status(TRY(manager::attach(paths, args.operands[0], detach_keys(args))));
}

}  // namespace croft::cli
