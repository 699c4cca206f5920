#include "oci/exec_process.h"

#include "base/log.h"
#include "base/text.h"
#include "dialect/oci_config.h"
#include "host/facts.h"
#include "plan/capabilities.h"
#include "plan/planner.h"

namespace croft::oci {

namespace {
using launch::LaunchPlan;
using launch::Process;

constexpr size_t most_process = 4 << 20;

void set_variable(std::vector<std::string>& env, const std::string& assignment) {
    std::string start = assignment.substr(0, assignment.find('=') + 1);
    std::erase_if(env, [&](const std::string& entry) { return entry.starts_with(start); });
    env.push_back(assignment);
}

// Meant for the container's first process alone.
void drop_sockets(std::vector<std::string>& env) {
    std::erase_if(env, [](const std::string& entry) {
        return entry.starts_with("LISTEN_") || entry.starts_with("NOTIFY_SOCKET=");
    });
}

Result<> set_user(const std::string& text, Process& process) {
    size_t colon = text.find(':');
    auto uid = parse_uint(text.substr(0, colon));
    auto gid = colon == text.npos ? std::optional<uint64_t>(process.gid) : parse_uint(text.substr(colon + 1));
    if (!uid || !gid || *uid > UINT32_MAX || *gid > UINT32_MAX)
        return error(Errc::usage, cat("--user: ", quoted(text), " is not UID or UID:GID, as numbers"));
    process.uid = static_cast<uint32_t>(*uid), process.gid = static_cast<uint32_t>(*gid);
    return {};
}

Result<> set_flags(const Flags& flags, Process& process) {
    for (const std::string& assignment : flags.values("--env")) {
        if (assignment.find('=') == assignment.npos || assignment[0] == '=')
            return error(Errc::usage, cat("--env: ", quoted(assignment), " is not NAME=VALUE"));
        set_variable(process.env, assignment);
    }
    if (const std::string* user = flags.value("--user")) TRY(set_user(*user, process));
    for (const std::string& group : flags.values("--additional-gids")) {
        auto gid = parse_uint(group);
        if (!gid || *gid > UINT32_MAX) return error(Errc::usage, cat("--additional-gids: ", quoted(group), " is no number"));
        process.groups.push_back(static_cast<uint32_t>(*gid));
    }
    for (const std::string& name : flags.values("--cap")) {
        uint64_t bit = TRY(plan::capability_set({name}, 63).within("--cap"));
        process.cap_bounding |= bit, process.cap_effective |= bit;
    }
    process.directory = flags.text("--cwd", process.directory);
    process.apparmor = flags.text("--apparmor", process.apparmor);
    process.selinux = flags.text("--process-label", process.selinux);
    process.no_new_privileges = process.no_new_privileges || flags.has("--no-new-privs");
    process.terminal = flags.has("--tty");
    return {};
}

// The planner makes a process of runtime-spec's one, as it does for a container.
Result<LaunchPlan> plan_of_file(const std::string& path, const Container& container) {
    std::string text = TRY((path == "-" ? read_all(0, most_process) : read_file_at(AT_FDCWD, path.c_str(), most_process))
                               .within(cat("--process ", quoted(path))));
    dialect::OciSpec read = TRY(dialect::parse_oci_process(text).within(cat("--process ", quoted(path))));
    for (const std::string& warning : read.warnings) warn(warning);
    read.spec.name = container.id;
    read.spec.root.layout = spec::Layout::bundle;
    read.spec.root.directory = container.record.rootfs;
    spec::HostFacts facts;
    host::ask_kernel(facts);
    plan::Plans plans = TRY(plan::plan_joining(read.spec, facts));
    for (const std::string& warning : plans.warnings) warn(warning);
    return std::move(plans.launch);
}

Result<LaunchPlan> plan_of_flags(const Call& call, Process kept) {
    if (call.operands.size() < 2)
        return error(Errc::usage, "exec needs a command behind the id of the container, or --process");
    LaunchPlan out;
    out.process = std::move(kept);
    drop_sockets(out.process.env);
    TRY(set_flags(call.flags, out.process));
    out.process.argv.assign(call.operands.begin() + 1, call.operands.end());
    for (const std::string& entry : out.process.env)
        if (entry.starts_with("PATH=")) out.process.search_path = entry.substr(5);
    if (out.process.terminal) out.inside.push_back(launch::OpenConsole{.console = false});
    return out;
}

// What a process gets from its container whatever its own description says.
void take_restrictions(Process kept, Process& process) {
    process.seccomp = std::move(kept.seccomp);
    if (process.exec_affinity_initial.empty() && process.exec_affinity_final.empty()) {
        process.exec_affinity_initial = std::move(kept.exec_affinity_initial);
        process.exec_affinity_final = std::move(kept.exec_affinity_final);
    }
    process.seccomp_listener = std::move(kept.seccomp_listener);
    process.seccomp_metadata = std::move(kept.seccomp_metadata);
}
}  // namespace

Result<LaunchPlan> exec_plan(const Call& call, const Container& container, Process kept) {
    LaunchPlan out;
    if (const std::string* file = call.flags.value("--process")) {
        out = TRY(plan_of_file(*file, container));
        take_restrictions(std::move(kept), out.process);
    } else {
        out = TRY(plan_of_flags(call, std::move(kept)));
    }
    out.name = container.id;
    out.process.init = out.process.wait_start = false;
    return out;
}

}  // namespace croft::oci
