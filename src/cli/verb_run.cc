// run and boot: one request, one start, and what is said about it.
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/bring_image.h"
#include "cli/machine_text.h"
#include "cli/output.h"
#include "cli/request.h"
#include "cli/started.h"
#include "cli/verbs.h"

namespace croft::cli {

namespace {
using launch::Outcome;
using manager::Keep;

Result<> check_terminal(const spec::MachineSpec& spec, Keep keep) {
    if (spec.process.terminal != spec::Terminal::pty || keep == Keep::detached) return {};
    for (int fd : {STDIN_FILENO, STDOUT_FILENO})
        if (!is_terminal(fd))
            return error(Errc::usage,
                         cat("--tty: a terminal was asked for, but standard ", fd ? "output" : "input",
                             " is none; leave out -t, or start it with -d"));
    return {};
}

Result<manager::StartOptions> start_options(const Arguments& args) {
    manager::StartOptions options;
    options.keep = args.has("--detach") ? Keep::detached : Keep::foreground;
    if (const std::string* keys = args.value("--detach-keys")) options.detach_keys = *keys;
    options.wait_ready = !args.has("--no-wait");
    if (auto timeout = TRY(duration_option(args, "--ready-timeout"))) options.ready_timeout = *timeout;
    if (auto step = TRY(number_option(args, "--fail-step"))) options.fail_step = static_cast<int>(*step);
    if (auto step = TRY(number_option(args, "--kill-step"))) options.kill_step = static_cast<int>(*step);
    return options;
}

Result<int> tell_detached(const Arguments& args, const manager::Started& started, bool boot) {
    if (boot && started.outcome.kind != Outcome::Kind::running) return ended_early(started);
    TRY(print(args.has("--json") ? cat(started_json(started), "\n") : cat(started.name, "\n")));
    return 0;
}

Result<int> tell_foreground(const Arguments& args, const manager::Started& started) {
    bool quiet = args.has("--quiet");
    if (args.has("--json")) TRY(write_all(STDERR_FILENO, cat(started_json(started), "\n")));
    if (started.outcome.kind == Outcome::Kind::running) {
        if (!quiet)
            info(cat("left machine ", quoted(started.name), " running; `croft attach ", started.name,
                     "` comes back"));
        return 0;
    }
    return launch::exit_status(started.outcome);
}

Result<int> start_machine(const Verb& verb, std::span<char* const> arguments, spec::Mode mode) {
    uint64_t begin = monotonic();
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, names_tree(args) ? 1 : 0, SIZE_MAX));
    manager::StartOptions options = TRY(start_options(args));
    manager::Paths paths = TRY(manager::find_paths());
    TRY(bring_if_image(paths, root_word(args), args.has("--quiet")));
    spec::MachineSpec spec = TRY(machine_request(paths, args, mode));
    TRY(check_terminal(spec, options.keep));
    bool boot = spec.mode == spec::Mode::boot, quiet = args.has("--quiet");
    Progress progress;
    if (boot && !quiet) {
        options.on_ready = [&, spec](std::string_view name) {
            progress.clear();
            say_up(name, begin, spec.process.terminal != spec::Terminal::none);
        };
        if (options.keep == Keep::detached && options.wait_ready) progress.show("croft: booting…");
    }
    auto started = manager::start(paths, std::move(spec), options);
    progress.clear();
    if (!started) return std::move(started).error();
    return options.keep == Keep::detached ? tell_detached(args, *started, boot)
                                          : tell_foreground(args, *started);
}
}  // namespace

Result<int> verb_run(const Verb& verb, std::span<char* const> arguments) {
    return start_machine(verb, arguments, spec::Mode::app);
}

Result<int> verb_boot(const Verb& verb, std::span<char* const> arguments) {
    return start_machine(verb, arguments, spec::Mode::boot);
}

}  // namespace croft::cli
