// start: machines that files declare, in the background.
#include "base/log.h"
#include "base/text.h"
#include "cli/each.h"
#include "cli/machine_text.h"
#include "cli/output.h"
#include "cli/started.h"
#include "cli/verbs.h"
#include "manager/start.h"

namespace croft::cli {

namespace {
Result<manager::StartOptions> start_options(const Arguments& args) {
    manager::StartOptions options;
    options.keep = manager::Keep::detached;
    options.wait_ready = !args.has("--no-wait");
    options.ready_only = args.has("--ready-only");
    if (auto timeout = TRY(duration_option(args, "--ready-timeout"))) options.ready_timeout = *timeout;
    if (auto step = TRY(number_option(args, "--fail-step"))) options.fail_step = static_cast<int>(*step);
    if (auto step = TRY(number_option(args, "--kill-step"))) options.kill_step = static_cast<int>(*step);
    return options;
}

Result<> tell(const Arguments& args, const manager::Started& started, std::string& json) {
    bool ended = !args.has("--ready-only") && started.outcome.kind != launch::Outcome::Kind::running;
    if (args.has("--json"))
        json += cat(json.empty() ? "" : ",\n ", started_json(started));
    else if (!ended)
        TRY(print(cat(started.name, "\n")));
    if (ended) return ended_early(started);
    return {};
}
}  // namespace

Result<int> verb_start(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, SIZE_MAX));
    manager::StartOptions options = TRY(start_options(args));
    manager::Paths paths = TRY(manager::find_paths());
    std::string json;
    int status = for_each_operand(args, [&](const std::string& name) -> Result<> {
        uint64_t begin = monotonic();
        Progress progress;
        if (!args.has("--quiet")) {
            progress.show(cat("croft: starting ", name, "…"));
            options.on_ready = [&](std::string_view who) {
                progress.clear();
                say_up(who, begin, false);
            };
        }
        auto started = manager::start_declared(paths, name, options);
        progress.clear();
        if (!started) return std::move(started).error();
        return tell(args, *started, json);
    });
    if (args.has("--json")) TRY(print(cat("[", json, "]\n")));
    return status;
}

}  // namespace croft::cli
