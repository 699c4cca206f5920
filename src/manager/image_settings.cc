#include "manager/image_settings.h"

#include "base/text.h"
#include "spec/fields.h"

namespace croft::manager {
namespace {

// Docker's images tell an init so, and croft tells it what it is itself.
constexpr std::string_view container_variable = "container=";

bool is_variable(std::string_view assignment) {
    size_t end = assignment.find('=');
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return end != assignment.npos && end > 0 && assignment.substr(0, end).find_first_not_of(letters) == assignment.npos &&
           !(assignment[0] >= '0' && assignment[0] <= '9') && assignment.find('\0') == assignment.npos;
}

}  // namespace

spec::SpecPatch settings_of(const image::ImageProcess& process, const std::string& image, spec::Mode mode) {
    spec::SpecPatch patch;
    spec::Origin origin{cat("image ", quoted(image))};
    auto say = [&](const char* field, const std::string& value) {
        if (!value.empty()) patch.add(*spec::field_by_name(field), value, origin);
    };
    for (const std::string& variable : process.environment)
        if (is_variable(variable) && !variable.starts_with(container_variable)) say("env", variable);
    say("stop-signal", process.stop_signal);
    if (mode == spec::Mode::boot) return patch;
    say("user", process.user);
    say("workdir", process.working_directory);
    return patch;
}

std::vector<std::string> whole_command(const image::ImageProcess& process, spec::Mode mode,
                                       const std::vector<std::string>& command) {
    if (mode == spec::Mode::boot) return command;
    std::vector<std::string> out = process.entrypoint;
    const std::vector<std::string>& rest = command.empty() ? process.command : command;
    out.insert(out.end(), rest.begin(), rest.end());
    return out;
}

}  // namespace croft::manager
