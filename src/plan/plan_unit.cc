// The same machine as a unit of systemd: what systemd shall do, while the launcher that it starts performs
// the LaunchPlan and is gone, so that the payload is the unit's main process.
#include <algorithm>

#include "base/signals.h"
#include "plan/draft.h"

namespace croft::plan {

namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

bool has(const Settings& settings, std::string_view name) {
    return std::ranges::find(settings, name, [](const auto& s) { return std::string_view(s.first); }) !=
           settings.end();
}

std::string seconds(uint64_t microseconds) {
    if (microseconds == UINT64_MAX) return "infinity";
    return microseconds % 1'000'000 == 0 ? cat(microseconds / 1'000'000, "s") : cat(microseconds, "us");
}

// A word of an Exec line: systemd splits at blanks and knows quotes, variables and escapes.
std::string exec_word(std::string_view word) {
    bool plain = !word.empty() && word.find_first_of(" \t\"'\\$;") == word.npos;
    if (plain) return std::string(word);
    std::string out = "\"";
    for (char c : word) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '$') out += '$';
        out += c;
    }
    return out + '"';
}

void describe_unit(const Draft& d, Settings& unit) {
    unit.emplace_back("Description", cat("Machine ", d.spec.name));
    unit.emplace_back("Documentation", "man:croft(1)");
    unit.emplace_back("After", "network.target");
    unit.emplace_back("PartOf", "machines.target");
    unit.emplace_back("Before", "machines.target");
    unit.emplace_back("RequiresMountsFor",
                      d.facts.tree.directory.empty() ? d.spec.root.directory : d.facts.tree.directory);
}

void supervise(const Draft& d, Settings& service) {
    std::string launcher = exec_word(cat(d.facts.helper_directory, "/croft-launch"));
    std::string name = exec_word(d.spec.name);
    service.emplace_back("Type", "notify");
    // The launcher says which process is the machine's, and then that process speaks for itself; the one that clears up
    // takes the machine's locks out of the store. Nothing else of the machine is heard. Where the payload may not speak
    // (it has no socket to do it), the launcher does for it, when it is no longer the main process.
    bool speaks_for_it = d.launch.wait_ready && d.launch.notify != launch::no_slot;
    service.emplace_back("NotifyAccess", speaks_for_it ? "all" : "exec");
    service.emplace_back("FileDescriptorStoreMax", "16");
    service.emplace_back("ExecStart", cat(launcher, " ", name));
    if (d.launch.wait_ready) service.emplace_back("ExecStartPost", cat("-", launcher, " --ready ", name));
    service.emplace_back("ExecStopPost", cat("-", launcher, " --cleanup ", name));
    // A machine that takes its time to boot is told about, not killed; who starts it decides how long to wait.
    service.emplace_back("TimeoutStartSec", "infinity");
    service.emplace_back("SyslogIdentifier", d.spec.name);
    service.emplace_back("LogExtraFields", cat("MACHINE=", d.spec.name));
    // reboot(2) in a PID namespace ends its init with SIGHUP, power-off with SIGINT.
    service.emplace_back("RestartForceExitStatus", "SIGHUP");
    service.emplace_back("SuccessExitStatus", "SIGINT");
    service.emplace_back("KillMode", "mixed");
}

void end_by(const Draft& d, Settings& service) {
    service.emplace_back("KillSignal", signal_name(static_cast<int>(d.launch.stop_signal)));
    service.emplace_back("TimeoutStopSec", seconds(d.launch.stop_timeout));
}

void allow_devices(const Draft& d, Settings& service) {
    if (!has(d.spec.resources.unit_properties, "DevicePolicy"))
        service.emplace_back("DevicePolicy", "closed");
    service.emplace_back("DeviceAllow", "char-pts rw");
    // What the launcher needs to mount a disk image; the payload has no node of these.
    if (!d.facts.disk.empty())
        for (const char* device : {"/dev/loop-control rw", "block-loop rw", "block-device-mapper rw"})
            service.emplace_back("DeviceAllow", device);
    if (d.boot)
        for (const char* path : {"/dev/fuse", "/dev/net/tun"})
            if (auto found = d.facts.devices.find(path); found != d.facts.devices.end() && found->second.type)
                service.emplace_back("DeviceAllow", cat(path, " rw"));
    for (const spec::Device& device : d.spec.devices)
        service.emplace_back("DeviceAllow", cat(device.path, " ", device.access));
}

void confine(const Draft& d, Settings& service) {
    const spec::Resources& r = d.spec.resources;
    service.emplace_back("Slice", r.slice.empty() ? "machine.slice" : r.slice);
    service.emplace_back("Delegate", "yes");
    if (!has(r.unit_properties, "TasksMax")) service.emplace_back("TasksMax", "16384");
    // Where the launcher cannot attach its own device policy to the payload's group, systemd's does it for the unit.
    if (!d.device_policy) allow_devices(d, service);
    service.insert(service.end(), r.unit_properties.begin(), r.unit_properties.end());
}

// What a file says for its unit alone.
void add_settings(const Draft& d, launch::UnitPlan& plan) {
    for (const auto& [name, value] : d.spec.unit_settings) {
        size_t dot = name.find('.');
        std::string_view section = std::string_view(name).substr(0, dot);
        if (dot == name.npos || section == "Install")
            continue;  // installing is for files, not for a running unit
        (section == "Unit" ? plan.unit : plan.service).emplace_back(name.substr(dot + 1), value);
    }
}

}  // namespace

void plan_unit(Draft& d) {
    launch::UnitPlan& plan = d.plans.unit;
    plan.name = d.facts.unit.empty() ? cat("croft-", d.spec.name, ".service") : d.facts.unit;
    describe_unit(d, plan.unit);
    supervise(d, plan.service);
    end_by(d, plan.service);
    confine(d, plan.service);
    add_settings(d, plan);
}

Result<launch::UnitPlan> plan_drop_in(const spec::MachineSpec& spec, const spec::HostFacts& facts) {
    Plans plans;
    Draft draft(spec, facts, plans);
    TRY(plan_users(draft));
    TRY(plan_stop(draft));
    draft.device_policy = facts.has_device_bpf && facts.privileged;
    launch::UnitPlan& plan = plans.unit;
    plan.name = cat("croft@", spec.name, ".service");
    describe_unit(draft, plan.unit);
    // Where the launcher listens for the payload, because that is root of the host too, it speaks for it (supervise()).
    if (draft.boot && !draft.private_users) plan.service.emplace_back("NotifyAccess", "all");
    end_by(draft, plan.service);
    confine(draft, plan.service);
    add_settings(draft, plan);
    return std::move(plan);
}

}  // namespace croft::plan
