#include "oci/bundle.h"

#include <unistd.h>

#include <cstdlib>

#include "base/log.h"
#include "base/text.h"
#include "dialect/oci_config.h"
#include "host/facts.h"
#include "manager/leader.h"
#include "manager/rootless.h"
#include "oci/cgroup_path.h"
#include "oci/engine_files.h"
#include "plan/planner.h"

namespace croft::oci {

namespace {
constexpr size_t most_config = 16 << 20;

Result<std::string> absolute_bundle(int directory, const std::string& given) {
    char path[4096];
    ssize_t n = readlink(cat("/proc/self/fd/", directory).c_str(), path, sizeof path);
    if (n <= 0 || static_cast<size_t>(n) == sizeof path) return os_error(errno, cat("finding ", quoted(given)));
    return std::string(path, static_cast<size_t>(n));
}

// Socket activation (sd_listen_fds(3)): what was handed to us is the payload's, which is PID 1 of its own namespace.
void pass_sockets(spec::MachineSpec& spec) {
    unsigned count = passed_sockets();
    if (!count) return;
    spec.process.environment.set.emplace_back("LISTEN_FDS", cat(count));
    spec.process.environment.set.emplace_back("LISTEN_PID", "1");
    if (const char* names = getenv("LISTEN_FDNAMES"))
        spec.process.environment.set.emplace_back("LISTEN_FDNAMES", names);
}

manager::OciContainer record_of(const dialect::OciSpec& read, const std::string& id, const std::string& bundle) {
    manager::OciContainer out;
    out.id = id;
    out.version = read.version;
    out.bundle = bundle;
    out.rootfs = read.spec.root.directory;
    out.annotations = read.spec.integration.annotations;
    out.created = manager::realtime_now();
    out.owner = geteuid();
    return out;
}

// A user who is not root: everything from here on happens in a user namespace above the container's.
Result<> make_way_for_user(const spec::MachineSpec& spec) {
    if (geteuid() == 0) return {};  // without CAP_SYS_ADMIN: the planner tells
    if (spec.users.mode != spec::UserNamespace::Mode::maps && spec.users.path.empty())
        return error(Errc::denied, "$.linux.namespaces: a user who is not root needs a namespace of the type 'user', with "
                                   "uidMappings and gidMappings (croft-oci spec --rootless writes them)");
    return manager::enter_own_users();
}

enum class Warnings { tell, told };

Result<> make_plan(PlannedBundle& bundle, Warnings warnings) {
    plan::Plans plans = TRY(plan::plan(bundle.spec, bundle.facts));
    if (warnings == Warnings::tell)
        for (const std::string& warning : plans.warnings) warn(warning);
    bundle.plan = std::move(plans.launch);
    bundle.plan.cgroup.of_scope = bundle.scope.has_value();
    bool has_group = !bundle.plan.cgroup.path.empty() && !bundle.facts.cgroup_root.empty();
    bundle.record.cgroup = has_group ? cat(bundle.facts.cgroup_root, "/", bundle.plan.cgroup.path) : "";
    return {};
}
}  // namespace

Result<PlannedBundle> plan_bundle(const Global& global, const Places& places, const BundleRequest& request) {
    TRY(check_id(request.id));
    Fd directory = TRY(open_at(AT_FDCWD, request.directory.c_str(), O_PATH | O_DIRECTORY)
                           .within(cat("the bundle ", quoted(request.directory))));
    std::string bundle = TRY(absolute_bundle(directory.get(), request.directory));
    std::string text = TRY(read_file_at(directory.get(), request.config.c_str(), most_config)
                               .within(cat("reading ", quoted(request.config), " of the bundle ", quoted(bundle))));
    dialect::OciSpec read =
        TRY(dialect::parse_oci_config(text, {bundle, request.id}).within(cat(quoted(bundle), ", ", request.config)));
    for (const std::string& warning : read.warnings) warn(warning);
    PlannedBundle out;
    if (read.spec.process.command.empty() && !request.wait_start)
        return error(Errc::invalid, cat(quoted(bundle), ", ", request.config, ": there is no process, so nothing to run"));
    out.record = record_of(read, request.id, bundle);
    out.spec = std::move(read.spec);
    out.spec.name = request.id;
    out.scope = TRY(choose_cgroup(global, places, out.spec));
    pass_sockets(out.spec);
    if (!host::is_admin()) TRY(make_way_for_user(out.spec).within(cat(quoted(bundle), ", ", request.config)));
    out.facts = TRY(host::gather(out.spec, {places.paths.helpers, places.paths.run, ""}));
    out.facts.run_directory = cat(places.root, "/", request.id);
    // A scope's group is made by systemd, which gives it the controllers that its limits need: what the group that this
    // process is in has got says nothing of that.
    if (out.scope) {
        spec::HostFacts mount;
        mount.privileged = true;
        host::find_cgroup2(mount);
        out.facts.cgroup_root = std::move(mount.cgroup_root);
        out.facts.cgroup_controllers = std::move(mount.cgroup_controllers);
        out.facts.cgroup_base.clear();
    }
    TRY(make_plan(out, Warnings::tell));
    out.plan.process.new_keyring = request.new_keyring;
    out.plan.process.wait_start = request.wait_start;
    return out;
}

Result<> use_scope(PlannedBundle& bundle, const std::string& group) {
    if (bundle.spec.resources.cgroup_path == group) return {};
    bundle.spec.resources.cgroup_path = group;
    const launch::Process before = bundle.plan.process;
    TRY(make_plan(bundle, Warnings::told));
    bundle.plan.process.new_keyring = before.new_keyring, bundle.plan.process.wait_start = before.wait_start;
    return {};
}

}  // namespace croft::oci
