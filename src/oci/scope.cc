#include "oci/scope.h"

#include <algorithm>

#include "base/text.h"
#include "plan/planner.h"

namespace croft::oci {

namespace {
constexpr std::string_view annotation_prefix = "org.systemd.property.";

std::string infinity(const std::string& value) { return value == "max" ? "infinity" : value; }

// "50000 100000" is 50%, in hundredths of a percent and rounded up.
std::string percent(uint64_t quota, uint64_t period) {
    uint64_t hundredths = (quota * 10'000 + period - 1) / period;
    std::string rest = cat(hundredths % 100);
    return cat(hundredths / 100, ".", std::string(2 - rest.size(), '0'), rest, "%");
}

void add_cpu_max(const std::string& value, std::vector<std::pair<std::string, std::string>>& out) {
    size_t blank = value.find(' ');
    auto quota = parse_uint(value.substr(0, blank));
    auto period = blank == value.npos ? std::optional<uint64_t>(100'000) : parse_uint(value.substr(blank + 1));
    if (!period || !*period) return;
    out.emplace_back("CPUQuota", quota ? percent(*quota, *period) : "infinity");
    out.emplace_back("CPUQuotaPeriodSec", cat(*period, "us"));
}

// GVariant's text of the simple types: 'text', true, 5, uint64 5.
std::string plain(std::string_view variant) {
    for (std::string_view type : {"byte ", "int16 ", "uint16 ", "int32 ", "uint32 ", "int64 ", "uint64 ", "double "})
        if (variant.starts_with(type)) variant.remove_prefix(type.size());
    variant = trim(variant);
    if (variant.size() >= 2 && (variant[0] == '\'' || variant[0] == '"') && variant.back() == variant[0])
        variant = variant.substr(1, variant.size() - 2);
    return std::string(variant);
}

bool is_unit_part(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view(":-_.\\@").find(c) != std::string_view::npos;
    });
}
}  // namespace

Result<ScopeName> parse_scope(const std::string& path, const std::string& id, bool system) {
    std::vector<std::string> parts = path.empty() ? std::vector<std::string>(3) : split(path, ':');
    if (parts.size() != 3)
        return error(Errc::invalid, cat("$.linux.cgroupsPath: ", quoted(path), " is not SLICE:PREFIX:NAME, as "
                                                                               "--systemd-cgroup wants it"));
    std::string slice = parts[0], prefix = path.empty() ? "croft-oci" : parts[1], name = parts[2].empty() ? id : parts[2];
    if (slice.empty()) slice = system ? "system.slice" : "user.slice";
    for (const std::string& part : {slice, prefix, name})
        if (!is_unit_part(part))
            return error(Errc::invalid, cat("$.linux.cgroupsPath: ", quoted(part), " cannot be part of a unit's name"));
    if (!slice.ends_with(".slice"))
        return error(Errc::invalid, cat("$.linux.cgroupsPath: ", quoted(slice), " is no slice (NAME.slice)"));
    if (name.ends_with(".slice"))
        return error(Errc::unsupported, cat("$.linux.cgroupsPath: ", quoted(name), " is a slice, which cannot hold processes"));
    return ScopeName{slice, cat(prefix, prefix.empty() ? "" : "-", name, ".scope")};
}

std::string scope_path(const ScopeName& name) { return cat(plan::slice_path(name.slice), name.unit); }

std::vector<std::pair<std::string, std::string>> unit_properties(const std::vector<launch::CgroupSetting>& settings) {
    constexpr std::pair<const char*, const char*> rows[] = {
        {"memory.max", "MemoryMax"},          {"memory.high", "MemoryHigh"}, {"memory.low", "MemoryLow"},
        {"memory.min", "MemoryMin"},          {"memory.swap.max", "MemorySwapMax"},
        {"pids.max", "TasksMax"},             {"cpu.weight", "CPUWeight"},   {"cpuset.cpus", "AllowedCPUs"},
        {"cpuset.mems", "AllowedMemoryNodes"}};
    std::vector<std::pair<std::string, std::string>> out;
    for (const launch::CgroupSetting& setting : settings) {
        for (const auto& [file, property] : rows)
            if (setting.file == file) out.emplace_back(property, infinity(setting.value));
        if (setting.file == "cpu.max") add_cpu_max(setting.value, out);
        if (setting.file == "io.weight" && setting.value.starts_with("default "))
            out.emplace_back("IOWeight", setting.value.substr(8));
    }
    return out;
}

Result<launch::UnitPlan> scope_plan(const ScopeName& name, const launch::LaunchPlan& plan,
                                    const manager::OciContainer& container) {
    launch::UnitPlan out;
    out.name = name.unit;
    out.unit = {{"Description", cat("Container ", container.id)}, {"DefaultDependencies", "no"}};
    out.service = {{"Slice", name.slice},      {"Delegate", "yes"},      {"CPUAccounting", "yes"},
                   {"MemoryAccounting", "yes"}, {"IOAccounting", "yes"}, {"TasksAccounting", "yes"}};
    for (auto& property : unit_properties(plan.cgroup.settings)) out.service.push_back(std::move(property));
    for (const auto& [key, value] : container.annotations) {
        if (!key.starts_with(annotation_prefix)) continue;
        std::string property = key.substr(annotation_prefix.size());
        std::string text = plain(value);
        // Times are told in microseconds on the bus, and with a unit in a file.
        if (property.ends_with("USec")) property = property.substr(0, property.size() - 4) + "Sec", text += "us";
        out.service.emplace_back(std::move(property), std::move(text));
    }
    return out;
}

}  // namespace croft::oci
