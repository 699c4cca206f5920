#include "base/text.h"
#include "cli/each.h"
#include "cli/machine_text.h"
#include "cli/output.h"
#include "manager/control.h"

namespace croft::cli {

namespace {
void tell(const manager::Stopped& stopped) {
    if (stopped.outcome.kind != launch::Outcome::Kind::killed) return;
    std::string hung = stopped.hung.empty() ? "" : cat("; still there: ", join(stopped.hung, ", "));
    warn(cat("machine ", quoted(stopped.name), " did not end in time and was killed", hung));
}

void add_json(format::JsonWriter& json, const manager::Stopped& stopped) {
    json.begin_object().member("name", stopped.name).key("outcome");
    outcome_json(json, stopped.outcome);
    json.key("hung").begin_array();
    for (const std::string& process : stopped.hung) json.value(process);
    json.end_array().end_object();
}

int stop_everything(const manager::Paths& paths, const manager::StopOptions& options,
                    std::vector<manager::Stopped>& stopped) {
    std::vector<manager::StopFailure> failed;
    auto all = manager::stop_all(paths, options, failed);
    if (!all) {
        log(LogLevel::error, all.error().text);
        return status_of(all.error(), OwnStatus::by_kind);
    }
    stopped = std::move(*all);
    for (const manager::StopFailure& failure : failed) log(LogLevel::error, failure.why.text);
    return failed.empty() ? 0 : status_of(failed[0].why, OwnStatus::by_kind);
}
}  // namespace

Result<int> verb_stop(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    bool all = args.has("--all");
    if (all && !args.operands.empty()) return error(Errc::usage, "stop takes --all or names, not both");
    if (!all) TRY(expect_operands(verb, args, 1, SIZE_MAX));
    manager::StopOptions options;
    options.timeout = TRY(duration_option(args, "--timeout"));
    options.now = args.has("--now");
    manager::Paths paths = TRY(manager::find_paths());
    std::vector<manager::Stopped> stopped;
    int status = 0;
    if (all)
        status = stop_everything(paths, options, stopped);
    else
        status = for_each_operand(args, [&](const std::string& name) -> Result<> {
            stopped.push_back(TRY(manager::stop(paths, name, options)));
            return {};
        });
    for (const manager::Stopped& one : stopped) tell(one);
    if (args.has("--json")) {
        format::JsonWriter json;
        json.begin_array();
        for (const manager::Stopped& one : stopped) add_json(json, one);
        json.end_array();
        TRY(print(json.text()));
    } else if (all && !args.has("--quiet")) {
        info(stopped.empty()
                 ? std::string("no machine is alive")
                 : cat("stopped ", stopped.size(), stopped.size() == 1 ? " machine" : " machines"));
    }
    return status;
}

}  // namespace croft::cli
