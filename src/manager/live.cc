#include "manager/live.h"

#include <algorithm>

#include "base/fd.h"
#include "base/text.h"
#include "manager/kept.h"
#include "manager/start.h"

namespace croft::manager {
namespace {

using Settings = std::vector<launch::CgroupSetting>;

// What the kernel has in a new group (Documentation/admin-guide/cgroup-v2.rst).
constexpr std::pair<std::string_view, std::string_view> defaults[] = {
    {"memory.max", "max"},     {"memory.high", "max"}, {"memory.low", "0"},     {"memory.min", "0"},
    {"memory.swap.max", "max"}, {"cpu.max", "max 100000"}, {"cpu.idle", "0"},   {"cpu.weight", "100"},
    {"cpuset.cpus", "\n"},     {"cpuset.mems", "\n"},  {"pids.max", "max"},     {"io.weight", "default 100"},
};

const launch::CgroupSetting* find(const Settings& settings, std::string_view file) {
    auto found = std::ranges::find(settings, file, [](const auto& s) { return std::string_view(s.file); });
    return found == settings.end() ? nullptr : &*found;
}

Result<> write_limit(const std::string& cgroup, const std::string& file, std::string_view value) {
    std::string path = cat(cgroup, "/", file);
    if (!exists_at(AT_FDCWD, path.c_str()))
        return error(Errc::unsupported, cat(file, " is not there in the machine's control group, because nothing was "
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

}  // namespace

Result<> apply_limits(const Paths& paths, const Machine& machine, const spec::MachineSpec& spec) {
    const std::string& cgroup = machine.record.cgroup;
    if (cgroup.empty()) return error(Errc::unsupported, "the machine has no control group of its own");
    launch::LaunchPlan plan = TRY(kept_plan(paths, machine.name));
    Preview wanted = TRY(preview(paths, spec));
    TRY(write_all_limits(cgroup, plan.cgroup.settings, wanted.launch.cgroup.settings));
    plan.cgroup.settings = std::move(wanted.launch.cgroup.settings);
    Fd directory = TRY(open_at(AT_FDCWD, cat(paths.machines, "/", machine.name).c_str(), O_RDONLY | O_DIRECTORY));
    return keep_plan(directory.get(), plan);
}

}  // namespace croft::manager
