#include "launch/unit_plan.h"

namespace croft::launch {

namespace {

void section(std::string& out, std::string_view name,
             const std::vector<std::pair<std::string, std::string>>& settings) {
    if (settings.empty()) return;
    if (!out.empty()) out += '\n';
    out.append("[").append(name).append("]\n");
    for (const auto& [key, value] : settings) {
        out.append(key).append("=");
        // A value is complete already: '%' must not be read as a specifier, nor a line end as the next
        // setting. One at the end is none in any case ("CPUQuota=50%"), and must stay alone for the settings
        // that know no specifiers.
        for (const char& c : value) {
            if (c == '%' && &c != &value.back()) out += '%';
            if (c == '\n')
                out += "\\\n";
            else
                out += c;
        }
        out += '\n';
    }
}

}  // namespace

std::string to_unit_file(const UnitPlan& plan) {
    std::string out;
    section(out, "Unit", plan.unit);
    section(out, "Service", plan.service);
    return out;
}

}  // namespace croft::launch
