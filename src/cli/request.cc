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

namespace {
std::string image_option(const Arguments& arguments) {
    std::string image;
    for (const spec::Assignment& one : arguments.patch.assignments)
        if (std::string_view(one.field->name) == "image") image = one.value;
    return image;
}
}  // namespace

bool names_tree(const Arguments& arguments) {
    return image_option(arguments).empty();
}

std::string root_word(const Arguments& arguments) {
    return names_tree(arguments) ? arguments.operands.front() : image_option(arguments);
}

Result<spec::MachineSpec> machine_request(const manager::Paths& paths, const Arguments& arguments,
                                          spec::Mode mode) {
    manager::Request request;
    request.settings = TRY(settings_option(arguments));
    request.options = arguments.patch;
    std::span<const std::string> operands = arguments.operands;
    if (names_tree(arguments)) {
        request.tree = operands.front();
        operands = operands.subspan(1);
    }
    request.options.append(dialect::command_patch(operands));
    request.mode = mode;
    manager::Requested requested = TRY(manager::read_request(paths, request));
    for (const spec::Warning& warning : requested.warnings) warn(warning.text);
    return std::move(requested.spec);
}

}  // namespace croft::cli
