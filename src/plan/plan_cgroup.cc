// Control group: where the machine lives, its limits, and which devices it may use.
#include <algorithm>

#include "plan/draft.h"

namespace croft::plan {

namespace {

void allow(Draft& d, char type, int64_t major, int64_t minor, std::string_view access) {
    d.launch.cgroup.devices.push_back({type, major, minor, std::string(access), true});
}

Result<> allow_device(Draft& d, const spec::Device& device) {
    if (device.path.starts_with("char-") || device.path.starts_with("block-")) {
        auto found = d.facts.device_classes.find(device.path);
        if (found == d.facts.device_classes.end() || found->second.empty())
            return error(Errc::not_found, cat("--device: ", quoted(device.path),
                                              " is no class of /proc/devices on this host"));
        for (uint32_t major : found->second)
            allow(d, device.path[0] == 'c' ? 'c' : 'b', major, -1, device.access);
        return {};
    }
    auto found = d.facts.devices.find(device.path);
    if (found == d.facts.devices.end() || found->second.type == 0)
        return error(Errc::not_found, cat("--device: ", quoted(device.path), " is no device of this host"));
    allow(d, found->second.type, found->second.major, found->second.minor, device.access);
    return {};
}

// Everything that no rule allows is refused, whatever node the payload makes or finds: a node made by mknod
// is a way to the host's disks. Making nodes ('m') is allowed for those few that every machine has.
Result<> device_rules(Draft& d) {
    for (const StandardNode& node : standard_nodes) allow(d, 'c', node.major, node.minor, "rwm");
    allow(d, 'c', 5, 2, "rwm");    // ptmx
    allow(d, 'c', 136, -1, "rw");  // pseudo terminals
    if (d.boot)
        for (const char* path : {"/dev/fuse", "/dev/net/tun"})
            if (auto found = d.facts.devices.find(path); found != d.facts.devices.end() && found->second.type)
                allow(d, found->second.type, found->second.major, found->second.minor, "rw");
    for (const spec::Device& device : d.spec.devices) TRY(allow_device(d, device));
    for (const spec::DeviceRule& rule : d.spec.resources.device_rules)
        d.launch.cgroup.devices.push_back({rule.type, rule.major.value_or(-1), rule.minor.value_or(-1),
                                           rule.access.empty() ? "rwm" : rule.access, rule.allow});
    return {};
}

void choose_controllers(Draft& d) {
    auto& wanted = d.launch.cgroup.controllers;
    // An init distributes them further, so it gets all; one program gets those that tell what it uses.
    for (const std::string& name : d.facts.cgroup_controllers)
        if (d.boot || name == "memory" || name == "pids" || name == "cpu") wanted.push_back(name);
}

// The group is the unit's: made, limited and removed by systemd. An app lives in it, and sees its limits there, as
// programs that size themselves by them expect; a system owns a group below, because limits are files that the owner of
// a group could write.
void use_unit_group(Draft& d) {
    launch::Cgroup& cgroup = d.launch.cgroup;
    const std::string& slice = d.spec.resources.slice;
    cgroup.of_unit = true;
    cgroup.path = cat(slice_path(slice.empty() ? "machine.slice" : slice), d.facts.unit);
    if (!d.boot) return;
    cgroup.payload = "payload";
    cgroup.delegate = true;
    cgroup.owner_uid = d.root_uid, cgroup.owner_gid = d.root_gid;
}

// What systemd limits by a property, and in which file of the group (systemd.resource-control(5)). As the machine's unit
// it does so, and would undo what somebody else writes there; without systemd croft writes the file itself. A property
// that names a device is written by croft only from a spec that names devices, never from the property.
struct Limit {
    std::string_view property, file;
    bool names_device = false;
};
constexpr Limit limits[] = {
    {"MemoryMax", "memory.max"},
    {"MemoryHigh", "memory.high"},
    {"MemoryLow", "memory.low"},
    {"MemoryMin", "memory.min"},
    {"MemorySwapMax", "memory.swap.max"},
    {"CPUQuota", "cpu.max"},
    {"CPUQuotaPeriodSec", "cpu.max"},
    {"CPUWeight", "cpu.weight"},
    {"CPUWeight", "cpu.idle"},  // CPUWeight=idle
    {"AllowedCPUs", "cpuset.cpus"},
    {"AllowedMemoryNodes", "cpuset.mems"},
    {"TasksMax", "pids.max"},
    {"IOWeight", "io.weight"},
    {"IOReadBandwidthMax", "io.max", true},
    {"IOWriteBandwidthMax", "io.max", true},
    {"IOReadIOPSMax", "io.max", true},
    {"IOWriteIOPSMax", "io.max", true},
};

void leave_limits_to_systemd(launch::Cgroup& cgroup) {
    std::erase_if(cgroup.settings, [](const launch::CgroupSetting& setting) {
        return std::ranges::find(limits, setting.file, &Limit::file) != std::end(limits);
    });
    cgroup.controllers.clear();
}

void warn_unit_only(Draft& d) {
    if (!d.facts.unit.empty()) return;
    std::vector<std::string> names;
    for (const auto& [name, value] : d.spec.resources.unit_properties) {
        if (is_group_limit(name, value)) continue;
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
    if (!names.empty())
        d.warn(cat(join(names, "=, "), "= takes effect only where the machine is a unit of systemd"));
}

}  // namespace

std::string slice_path(std::string_view slice) {
    std::string out;
    for (size_t dash = slice.find('-'); dash != slice.npos; dash = slice.find('-', dash + 1))
        out += cat(slice.substr(0, dash), ".slice/");
    return slice == "-.slice" ? "" : cat(out, slice, "/");
}

bool is_group_limit(std::string_view property, std::string_view value) {
    auto limit = std::ranges::find(limits, property, &Limit::property);
    bool here = limit != std::end(limits) && !limit->names_device;
    // A share is of what systemd knows; CPUQuota= is always written as one.
    return here && (!value.ends_with('%') || property == "CPUQuota");
}

Result<> plan_cgroup(Draft& d) {
    launch::Cgroup& cgroup = d.launch.cgroup;
    if (!d.facts.unit.empty()) {
        use_unit_group(d);
    } else if (!d.facts.cgroup_root.empty()) {
        std::string_view base =
            d.spec.resources.cgroup_parent.empty() ? d.facts.cgroup_base : d.spec.resources.cgroup_parent;
        while (base.starts_with('/')) base.remove_prefix(1);
        cgroup.path = base.empty() ? d.spec.name : cat(base, "/", d.spec.name);
        if (d.boot) {
            // The payload owns a subgroup: a group's limits are files that its owner could write.
            cgroup.payload = "payload";
            cgroup.delegate = true;
            cgroup.owner_uid = d.root_uid, cgroup.owner_gid = d.root_gid;
        }
        choose_controllers(d);
    } else if (d.boot) {
        return error(Errc::unsupported,
                     "booting needs a cgroup2 that croft may use: mount one (mount -t cgroup2 none "
                     "/sys/fs/cgroup), or start croft in a delegated group");
    } else if (d.facts.privileged) {
        d.warn(
            "this host has no cgroup2 that croft may use: the machine stays in the caller's control group");
    }
    TRY(plan_limits(d));
    if (cgroup.of_unit) leave_limits_to_systemd(cgroup);
    if (cgroup.of_unit && d.boot) choose_controllers(d);
    TRY(device_rules(d));
    d.device_policy = !cgroup.path.empty() && d.facts.has_device_bpf && d.facts.privileged;
    cgroup.device_policy = d.device_policy;
    if (!d.device_policy) cgroup.devices.clear();
    warn_unit_only(d);
    return {};
}

}  // namespace croft::plan
