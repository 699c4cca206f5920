#include "cli/request.h"

#include "base/log.h"
#include "dialect/options.h"
#include "manager/request.h"

namespace croft::cli {

namespace {
Result<dialect::Settings> settings_option(const Arguments& arguments) {
    const std::string* text = arguments.value("--settings");
    if (!text) return dialect::Settings::yes;
    return dialect::parse_settings(*text).within("--settings");
}
}  // namespace

Result<spec::MachineSpec> machine_request(const manager::Paths& paths, const Arguments& arguments,
                                          spec::Mode mode) {
    manager::Request request;
    request.settings = TRY(settings_option(arguments));
    request.tree = arguments.operands[0];
    request.options = arguments.patch;
    request.options.append(dialect::command_patch(std::span(arguments.operands).subspan(1)));
    request.mode = mode;
    manager::Requested requested = TRY(manager::read_request(paths, request));
    for (const spec::Warning& warning : requested.warnings) warn(warning.text);
    return std::move(requested.spec);
}

}  // namespace croft::cli
