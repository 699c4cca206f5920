// Control group of a bundle: exactly the one that config.json names, its limits, its devices, its owner.
#include <algorithm>

#include "plan/draft.h"

namespace croft::plan {

namespace {

bool is_cgroup(const spec::Mount& mount) {
    return mount.kind == spec::Mount::Kind::filesystem && mount.fs_type.starts_with("cgroup");
}

// The payload may make groups below its own: it sees them, in a namespace of its own, and may write.
bool may_manage(const Draft& d) {
    const auto& ns = d.spec.namespaces.cgroup;
    bool own = ns.empty() || ns == "private";
    return own && std::ranges::any_of(d.spec.mounts, [](const spec::Mount& mount) {
               return is_cgroup(mount) && mount.writable;
           });
}

// Nothing: the container stays in the caller's. Who may not write to the root of all groups has its own below the one
// that was given to it.
Result<std::string> group_path(const Draft& d) {
    std::string_view asked = d.spec.resources.cgroup_path;
    if (d.facts.cgroup_root.empty() || asked.empty()) return "";
    std::vector<std::string> parts;
    if (!d.facts.privileged)
        for (std::string& part : split(d.facts.cgroup_base, '/'))
            if (!part.empty()) parts.push_back(std::move(part));
    const size_t given = parts.size();
    for (std::string& part : split(asked, '/')) {
        if (part == "..")
            return error(Errc::invalid, cat("linux.cgroupsPath: ", quoted(asked), " leads out of itself by '..'"));
        if (!part.empty() && part != ".") parts.push_back(std::move(part));
    }
    if (parts.size() == given)
        return error(Errc::invalid, cat("linux.cgroupsPath: ", quoted(asked), " is the root of all groups"));
    return join(parts, "/");
}

// Enabled where it can be, so that what the container uses is counted: all, for one that manages groups itself.
void choose_controllers(Draft& d) {
    constexpr std::string_view counting[] = {"cpu", "io", "memory", "pids"};
    const bool all = may_manage(d);
    for (const std::string& name : d.facts.cgroup_controllers)
        if (all || std::ranges::find(counting, name) != std::end(counting))
            d.launch.cgroup.more_controllers.push_back(name);
}

bool allows_everything(const spec::DeviceRule& rule) {
    const std::string_view access = rule.access;
    return rule.allow && rule.type == 'a' && !rule.major && !rule.minor &&
           (access.empty() || (access.find('r') != access.npos && access.find('w') != access.npos &&
                               access.find('m') != access.npos));
}

// The last rule that fits decides; what is fitted by none is refused. Behind all of them come the devices that
// runtimes let every container have. A node can always be made: opening it is what the rules are about.
void choose_devices(Draft& d) {
    const auto& rules = d.spec.resources.device_rules;
    launch::Cgroup& cgroup = d.launch.cgroup;
    if (cgroup.path.empty() || !d.facts.privileged || !d.facts.has_device_bpf) return;
    if (!rules.empty() && allows_everything(rules.back())) return;
    auto add = [&](char type, int64_t major, int64_t minor, const char* access) {
        cgroup.devices.push_back({type, major, minor, access, true});
    };
    for (const spec::DeviceRule& rule : rules)
        cgroup.devices.push_back({rule.type, rule.major.value_or(-1), rule.minor.value_or(-1),
                                  rule.access.empty() ? "rwm" : rule.access, rule.allow});
    add('c', -1, -1, "m"), add('b', -1, -1, "m");
    for (int64_t minor : {3, 5, 7, 8, 9}) add('c', 1, minor, "rwm");
    add('c', 5, 0, "rwm"), add('c', 5, 2, "rwm"), add('c', 136, -1, "rwm");
    cgroup.device_policy = d.device_policy = true;
}

}  // namespace

Result<> plan_bundle_cgroup(Draft& d) {
    launch::Cgroup& cgroup = d.launch.cgroup;
    cgroup.path = TRY(group_path(d));
    TRY(plan_limits(d));
    if (cgroup.path.empty()) return {};
    cgroup.existing = launch::ExistingGroup::without_processes;
    choose_controllers(d);
    choose_devices(d);
    if (!may_manage(d)) return {};
    // As runtimes do it: the group is the user's who the payload runs as.
    const auto [uid, gid] = d.spec.process.user.ids.value_or(std::pair(0u, 0u));
    cgroup.owner_uid = d.host_uid(uid).value_or(d.root_uid);
    cgroup.owner_gid = d.host_gid(gid).value_or(d.root_gid);
    cgroup.delegate = cgroup.owner_uid != 0;
    return {};
}

}  // namespace croft::plan
