#include "manager/live.h"

#include <algorithm>

#include "base/fd.h"
#include "base/text.h"
#include "manager/kept.h"
#include "manager/start.h"
#include "manager/supervisor.h"
#include "spec/fields.h"

namespace croft::manager {
namespace {

using Settings = std::vector<launch::CgroupSetting>;

// What the kernel has in a new group (Documentation/admin-guide/cgroup-v2.rst).
constexpr std::pair<std::string_view, std::string_view> defaults[] = {
    {"memory.max", "max"},      {"memory.high", "max"},    {"memory.low", "0"}, {"memory.min", "0"},
    {"memory.swap.max", "max"}, {"cpu.max", "max 100000"}, {"cpu.idle", "0"},   {"cpu.weight", "100"},
    {"cpuset.cpus", "\n"},      {"cpuset.mems", "\n"},     {"pids.max", "max"}, {"io.weight", "default 100"},
};

// The same as systemd.resource-control(5) has it, for a property that nothing sets any more.
std::string default_property(std::string_view name) {
    if (name == "MemoryMax" || name == "MemoryHigh" || name == "MemorySwapMax") return "infinity";
    if (name == "MemoryLow" || name == "MemoryMin") return "0";
    return name == "TasksMax" ? "16384" : "";
}

const launch::CgroupSetting* find(const Settings& settings, std::string_view file) {
    auto found = std::ranges::find(settings, file, [](const auto& s) { return std::string_view(s.file); });
    return found == settings.end() ? nullptr : &*found;
}

Result<> write_limit(const std::string& cgroup, const std::string& file, std::string_view value) {
    std::string path = cat(cgroup, "/", file);
    if (!exists_at(AT_FDCWD, path.c_str()))
        return error(Errc::unsupported,
                     cat(file,
                         " is not there in the machine's control group, because nothing was "
                         "limited by it when the machine started"));
    return write_file_at(AT_FDCWD, path.c_str(), value).within(file);
}

// Back to the default first: a group that is idle refuses a weight.
Result<> write_all_limits(const std::string& cgroup, const Settings& before, const Settings& after) {
    for (const auto& [file, value] : defaults)
        if (find(before, file) && !find(after, file)) TRY(write_limit(cgroup, std::string(file), value));
    for (const launch::CgroupSetting& setting : after) {
        const launch::CgroupSetting* old = find(before, setting.file);
        if (!old || old->value != setting.value) TRY(write_limit(cgroup, setting.file, setting.value));
    }
    return {};
}

// By systemd, whose the unit's group is. An empty value is the default.
Result<> set_unit_limits(const Machine& machine, const spec::MachineSpec& spec,
                         const std::vector<std::string>& changed) {
    std::vector<std::pair<std::string, std::string>> properties;
    for (const std::string& name : changed) {
        size_t before = properties.size();
        for (const auto& property : spec.resources.unit_properties)
            if (property.first == name) properties.push_back(property);
        if (properties.size() == before) properties.emplace_back(name, default_property(name));
    }
    return supervisor()->set_properties(machine.record.unit, properties);
}

Result<> write_group_limits(const Paths& paths, const Machine& machine, const spec::MachineSpec& spec,
                            int directory) {
    const std::string& cgroup = machine.record.cgroup;
    if (cgroup.empty()) return error(Errc::unsupported, "the machine has no control group of its own");
    launch::LaunchPlan plan = TRY(kept_plan(paths, machine.name));
    Preview wanted = TRY(preview(paths, spec));
    TRY(write_all_limits(cgroup, plan.cgroup.settings, wanted.launch.cgroup.settings));
    plan.cgroup.settings = std::move(wanted.launch.cgroup.settings);
    return keep_plan(directory, plan);
}

// What is in effect now is what the machine runs with: `croft diff` compares with that.
Result<> keep_changed(const Paths& paths, const Machine& machine, const spec::MachineSpec& spec,
                      const std::vector<std::string>& changed, int directory) {
    auto kept = kept_spec(paths, machine.name);
    if (!kept) return {};
    for (const std::string& name : changed) {
        const spec::Field* field = spec::field_by_key("Resources", name);
        if (std::string_view(field->key) != "*")
            field->reset(*kept);
        else
            std::erase_if(kept->resources.unit_properties, [&](const auto& p) { return p.first == name; });
        for (const std::string& value : field->get(spec))
            if (std::string_view(field->key) != "*" || value.starts_with(name + "="))
                TRY(field->set(*kept, value));
    }
    return keep_spec(directory, *kept);
}

}  // namespace

Result<> apply_limits(const Paths& paths, const Machine& machine, const spec::MachineSpec& spec,
                      const std::vector<std::string>& changed) {
    Fd directory =
        TRY(open_at(AT_FDCWD, cat(paths.machines, "/", machine.name).c_str(), O_RDONLY | O_DIRECTORY));
    if (!machine.record.unit.empty() && supervisor())
        TRY(set_unit_limits(machine, spec, changed));
    else
        TRY(write_group_limits(paths, machine, spec, directory.get()));
    return keep_changed(paths, machine, spec, changed, directory.get());
}

}  // namespace croft::manager
