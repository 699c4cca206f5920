// Rows: settings of a machine file that are systemd's own ([Unit], [Service], [Install]). croft does not know
// their keys: they go to the machine's unit as they are written, and systemd judges them.
#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;

struct Unit {
    static constexpr string_view section = "Unit.";
};
struct Service {
    static constexpr string_view section = "Service.";
};
struct Install {
    static constexpr string_view section = "Install.";
};

// What makes the unit a machine's is croft's to say.
bool owned_by_croft(string_view section, string_view key) {
    if (section != "Service.") return false;
    for (string_view own :
         {"ExecStart", "ExecStopPost", "Type", "NotifyAccess", "RestartForceExitStatus", "KillMode"})
        if (key == own) return true;
    return false;
}

template <class S>
Result<> set(MachineSpec& s, string_view text) {
    size_t equals = text.find('=');
    string_view key = trim(text.substr(0, equals));
    bool good =
        equals != text.npos && !key.empty() &&
        key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") == key.npos;
    if (!good) return wrong_value(text, "is no KEY=VALUE of a unit file");
    if (owned_by_croft(S::section, key))
        return wrong_value(key, "is croft's own setting of the unit and cannot be changed");
    // Values go on in order, empty ones too: that is how a unit file resets a list.
    s.unit_settings.emplace_back(cat(S::section, key), TRY(parse_text(text.substr(equals + 1))));
    return {};
}
template <class S>
std::vector<std::string> get(const MachineSpec& s) {
    std::vector<std::string> out;
    for (const auto& [name, value] : s.unit_settings)
        if (name.starts_with(S::section))
            out.push_back(cat(string_view(name).substr(S::section.size()), "=", value));
    return out;
}
template <class S>
void reset(MachineSpec& s) {
    std::erase_if(s.unit_settings, [](const auto& setting) { return setting.first.starts_with(S::section); });
}

template <class S>
constexpr Field row(const char* name, const char* section, const char* help, const char* doc,
                    const char* example) {
    return {.name = name,
            .section = section,
            .key = "*",
            .argument = "KEY=VALUE",
            .repeat = Repeat::adds,
            .offered = Offered::file_only,
            .help = help,
            .doc = doc,
            .example = example,
            .set = set<S>,
            .get = get<S>,
            .reset = reset<S>};
}

const Field table[] = {
    row<Unit>("unit", "Unit", "A setting of the machine's unit",
              "Any key of systemd.unit(5) [Unit]: After=, Requires=, … Taken as it is; has no meaning "
              "without systemd. Default: none besides croft's own.",
              "After=network-online.target"),
    row<Service>(
        "service", "Service", "A setting of the machine's service",
        "Any key of systemd.service(5) [Service] but those that make the unit a machine's (ExecStart=, "
        "Type=, …). Taken as it is; has no meaning without systemd. Default: none besides croft's own.",
        "Restart=on-failure"),
    row<Install>("install", "Install", "How the machine's unit is enabled",
                 "Any key of systemd.unit(5) [Install]. Taken as it is; has no meaning without systemd. "
                 "Default: none.",
                 "WantedBy=machines.target"),
};
}  // namespace

std::span<const Field> unit_rows() {
    return table;
}

}  // namespace croft::spec
