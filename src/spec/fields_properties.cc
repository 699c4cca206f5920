// Rows: tasks, I/O, where the machine is in the tree of units, and every other property of
// systemd.resource-control(5).
#include "spec/properties.h"

namespace croft::spec {

void set_property(MachineSpec& s, std::string_view name, std::string value) {
    auto& properties = s.resources.unit_properties;
    if (resource_property(name) != PropertyKind::list)
        std::erase_if(properties, [&](const auto& property) { return property.first == name; });
    properties.emplace_back(name, std::move(value));
}
std::vector<std::string> property_values(const MachineSpec& s, std::string_view name) {
    std::vector<std::string> out;
    for (const auto& [key, value] : s.resources.unit_properties)
        if (key == name) out.push_back(value);
    return out;
}
void drop_property(MachineSpec& s, std::string_view name) {
    std::erase_if(s.resources.unit_properties, [&](const auto& property) { return property.first == name; });
}

namespace {
using std::string_view;

struct TasksMax {
    static constexpr const char* name = "TasksMax";
};
struct IoWeight {
    static constexpr const char* name = "IOWeight";
};

Result<> set_tasks(MachineSpec& s, string_view text) {
    if (auto percent = parse_percent(text); percent && *percent <= 10000) {
        property_store<TasksMax, ROW_SLOT(resources.tasks_max)>(s, std::nullopt, std::string(text));
        return {};
    }
    auto count = text == "infinity" ? std::optional<uint64_t>(UINT64_MAX) : parse_uint(text);
    if (!count || *count == 0)
        return wrong_value(text, "is no number of tasks (1 or more, infinity, or a share as 10%)");
    property_store<TasksMax, ROW_SLOT(resources.tasks_max)>(s, *count,
                                                            text == "infinity" ? "infinity" : cat(*count));
    return {};
}
Result<> set_io_weight(MachineSpec& s, string_view text) {
    uint64_t weight = static_cast<uint64_t>(TRY(parse_range(text, 1, 10000, "I/O weight")));
    property_store<IoWeight, ROW_SLOT(resources.io_weight)>(s, weight, cat(weight));
    return {};
}

// "NAME=VALUE". A property that has a row of its own goes there, so that both spellings mean the same.
Result<> set_any_property(MachineSpec& s, string_view text) {
    size_t equals = text.find('=');
    if (equals == text.npos) return wrong_value(text, "is no NAME=VALUE of systemd.resource-control(5)");
    std::string name(trim(text.substr(0, equals)));
    string_view value = trim(text.substr(equals + 1));
    const Field* row = field_by_key("Resources", name);
    if (row && string_view(row->key) != "*") {
        if (!value.empty()) return row->set(s, value).within(cat(name, "="));
        row->reset(s);
        return {};
    }
    if (resource_property(name) == PropertyKind::unknown)
        return wrong_value(name, cat("is no property of systemd.resource-control(5)",
                                     did_you_mean(name, resource_property_names())));
    if (value.empty())
        drop_property(s, name);
    else
        set_property(s, name, TRY(parse_text(value)));
    return {};
}
std::vector<std::string> get_other_properties(const MachineSpec& s) {
    std::vector<std::string> out;
    for (const auto& [name, value] : s.resources.unit_properties)
        if (string_view(field_by_key("Resources", name)->key) == "*") out.push_back(cat(name, "=", value));
    return out;
}
void reset_other_properties(MachineSpec& s) {
    std::erase_if(s.resources.unit_properties, [](const auto& property) {
        return string_view(field_by_key("Resources", property.first)->key) == "*";
    });
}

Result<std::string> parse_slice(string_view text) {
    bool good = text.ends_with(".slice") && text.size() > 6 && text.find('/') == text.npos;
    if (!good) return wrong_value(text, "is no slice (machine.slice, …)");
    return parse_text(text);
}
using Slice = String<parse_slice>;

const Field table[] = {
    {.name = "tasks",
     .option = "--tasks",
     .aliases = "--pids-limit --tasks-max",
     .section = "Resources",
     .key = "TasksMax",
     .argument = "NUMBER",
     .help = "Most processes and threads of the machine",
     .doc = "1 or more, infinity, or (with systemd) a share of the host's as 10% (pids.max). Default: 16384, "
            "as systemd-nspawn(1).",
     .example = "--tasks=512",
     OWN_ROW(set_tasks, TasksMax, tasks_max)},
    {.name = "io-weight",
     .option = "--io-weight",
     .section = "Resources",
     .key = "IOWeight",
     .argument = "WEIGHT",
     .help = "Share of disk I/O when others want it too",
     .doc = "From 1 to 10000 (io.weight). Default: 100.",
     .example = "--io-weight=50",
     OWN_ROW(set_io_weight, IoWeight, io_weight)},
    {.name = "slice",
     .option = "--slice",
     .short_option = 'S',
     .section = "Resources",
     .key = "Slice",
     .argument = "SLICE",
     .help = "systemd slice of the machine's unit",
     .doc = "The slice whose limits the machine shares (systemd.slice(5)). Without systemd it has no "
            "meaning. Default: machine.slice.",
     .example = "--slice=web.slice",
     ROW_VALUE(Slice, resources.slice)},
    {.name = "cgroup-parent",
     .option = "--cgroup-parent",
     .section = "Resources",
     .key = "CgroupParent",
     .argument = "PATH",
     .help = "Control group to put the machine's below, without systemd",
     .doc = "Path below the mount point of cgroup2. With systemd use --slice. Default: /croft.",
     .example = "--cgroup-parent=/batch",
     ROW_VALUE(InsidePath, resources.cgroup_parent)},
    {.name = "property",
     .option = "--property",
     .section = "Resources",
     .key = "*",
     .argument = "NAME=VALUE",
     .repeat = Repeat::adds,
     .values = "property",
     .help = "Any property of systemd.resource-control(5)",
     .doc = "As NAME=VALUE on the command line, as a key of [Resources] in a file. Those with an option of "
            "their own are the same setting; the rest takes effect where the machine is a systemd unit. An "
            "empty value resets. Default: none.",
     .example = "--property=IOReadBandwidthMax='/dev/sda 10M'",
     .set = set_any_property,
     .get = get_other_properties,
     .reset = reset_other_properties},
};
}  // namespace

std::span<const Field> property_rows() {
    return table;
}

}  // namespace croft::spec
