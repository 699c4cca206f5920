#include "base/log.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/request.h"
#include "cli/verbs.h"
#include "format/json_writer.h"
#include "manager/start.h"

namespace croft::cli {

namespace {
// to_json() ends with a newline, which has no place inside another document.
std::string nested(const std::string& json) {
    return std::string(trim(json));
}

Result<> print_plans(const Arguments& args, const manager::Preview& preview) {
    bool launch = args.has("--launch") || !args.has("--unit");
    bool unit = args.has("--unit") || !args.has("--launch");
    if (args.has("--json")) {
        format::JsonWriter json;
        json.begin_object();
        if (launch) json.key("launch").raw(nested(launch::to_json(preview.launch)));
        if (unit) json.key("unit").raw(nested(launch::to_json(preview.unit)));
        json.key("warnings").begin_array();
        for (const std::string& warning : preview.warnings) json.value(warning);
        json.end_array().end_object();
        return print(json.text());
    }
    for (const std::string& warning : preview.warnings) warn(warning);
    std::string out;
    if (unit)
        out += cat("# What systemd does, where machines are units\n", launch::to_unit_file(preview.unit));
    if (unit && launch) out += "\n# What the kernel is asked to do\n";
    if (launch) out += cat(nested(launch::to_json(preview.launch)), "\n");
    return print(out);
}
}  // namespace

// croft plan [OPTIONS] run|boot …: everything from the verb on belongs to that verb's own row.
Result<int> verb_plan(const Verb& verb, std::span<char* const> arguments) {
    size_t at = 0;
    while (at < arguments.size() && arguments[at][0] == '-') ++at;
    Arguments args = TRY(parse_arguments(verb, arguments.first(at)));
    const Verb* planned = at < arguments.size() ? find_verb(arguments[at]) : nullptr;
    bool plannable =
        planned && (planned->spec_options == SpecOptions::app || planned->spec_options == SpecOptions::boot);
    if (!plannable)
        return error(Errc::usage,
                     "plan needs the command whose plan it shall show: croft plan run TREE …, or croft "
                     "plan boot TREE …");
    Arguments command = TRY(parse_arguments(*planned, arguments.subspan(at + 1)));
    TRY(expect_operands(*planned, command, names_tree(command) ? 1 : 0, SIZE_MAX));
    auto mode = planned->spec_options == SpecOptions::app ? spec::Mode::app : spec::Mode::boot;
    manager::Paths paths = TRY(manager::find_paths());
    spec::MachineSpec spec = TRY(machine_request(paths, command, mode));
    manager::Preview preview = TRY(manager::preview(paths, std::move(spec)));
    TRY(print_plans(args, preview));
    return 0;
}

}  // namespace croft::cli
