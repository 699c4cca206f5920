// What a complete spec must obey. Every refusal names the key and the option, since the spec does not know
// which of them said it.
#include "base/names.h"
#include "base/text.h"
#include "spec/fields.h"
#include "spec/sysctls.h"

namespace croft::spec {

namespace {
using std::string_view;

Error invalid(std::string text) {
    return error(Errc::invalid, std::move(text));
}

Error later(string_view key) {
    return error(Errc::unsupported, cat(key,
                                        "= is not available yet: networks come later; use Private=yes "
                                        "(--network=none), or Private=no (--network=host)"));
}

Result<> check_network(const Network& network) {
    if (network.veth) return later("VirtualEthernet");
    if (!network.veth_extra.empty()) return later("VirtualEthernetExtra");
    if (!network.interfaces.empty()) return later("Interface");
    if (!network.macvlan.empty()) return later("MACVLAN");
    if (!network.ipvlan.empty()) return later("IPVLAN");
    if (!network.bridge.empty()) return later("Bridge");
    if (!network.zone.empty()) return later("Zone");
    if (!network.ports.empty()) return later("Port");
    return {};
}

Result<> check_root(const MachineSpec& spec) {
    const Root& root = spec.root;
    bool throwaway = root.ephemeral || root.volatile_mode != Volatile::no;
    if (root.directory == "/" && !throwaway)
        return invalid(
            "the tree '/' is the running host itself: use --ephemeral (a throwaway copy) or --volatile");
    if (!root.image.empty() && !root.directory.empty() && root.layers.empty())
        return invalid("Image= and Directory= exclude each other: a root is made from the one or is the other");
    if (!root.pivot_new.empty() && root.volatile_mode == Volatile::yes)
        return invalid(
            "PivotRoot= (--pivot-root) and Volatile=yes (--volatile) exclude each other: the new root would "
            "be empty");
    return {};
}

Result<> check_mode(const MachineSpec& spec) {
    bool boot = spec.mode == Mode::boot;
    if (boot && spec.process.init)
        return invalid(
            "Boot=yes and ProcessTwo=yes (--init) exclude each other: a booted machine has its own init");
    if (boot && !spec.security.cap_ambient.empty())
        return invalid(
            "AmbientCapability= (--ambient-capability) is not for a booted machine: its init starts with all "
            "it may have");
    const auto& scheduler = spec.process.scheduler;
    if (!scheduler) return {};
    bool real_time = scheduler->policy == "SCHED_FIFO" || scheduler->policy == "SCHED_RR";
    if (real_time && scheduler->priority == 0)
        return invalid("CPUSchedulingPolicy=fifo and rr need CPUSchedulingPriority= (1 to 99)");
    if (!real_time && scheduler->priority != 0)
        return invalid("CPUSchedulingPriority= is for CPUSchedulingPolicy=fifo or rr only");
    return {};
}

Result<> check_users(const MachineSpec& spec) {
    if (spec.users.ownership == UserNamespace::Ownership::chown)
        return error(Errc::unsupported,
                     "PrivateUsersOwnership=chown (PrivateUsersChown=yes) is not available: croft never "
                     "changes the owners of a tree; use map");
    if (!spec.integration.bind_users.empty())
        return error(Errc::unsupported,
                     "BindUser= is not available yet: use Bind= (--bind) with the home directory");
    return {};
}

Result<> check_security(const Security& security) {
    bool own_list = !security.syscalls_allow.empty() || !security.syscalls_deny.empty();
    bool profile = security.seccomp || !security.seccomp_path.empty();
    if (own_list && (profile || security.seccomp_off))
        return invalid(
            "SystemCallFilter= (--syscall-filter) and SeccompProfile= (--seccomp) exclude each other: a "
            "profile is the "
            "whole filter");
    if ((profile || security.seccomp_off) && !security.address_families.empty())
        return invalid(
            "RestrictAddressFamilies= and SeccompProfile= (--seccomp) exclude each other: a profile is the "
            "whole filter");
    if ((profile || security.seccomp_off) && security.suppress_sync)
        return invalid(
            "SuppressSync= and SeccompProfile= (--seccomp) exclude each other: a profile is the whole "
            "filter");
    return {};
}

Result<> check_sysctls(const MachineSpec& spec) {
    for (const auto& [name, value] : spec.security.sysctls) {
        const SysctlScope scope = sysctl_scope(name);
        if (scope == SysctlScope::host)
            return invalid(cat("Sysctl= (--sysctl): ", quoted(name),
                               " belongs to the whole host, not to a machine: set it on the host"));
        if (scope == SysctlScope::network && spec.network.mode == Network::Mode::host)
            return invalid(cat("Sysctl= (--sysctl): ", quoted(name),
                               " would be the host's with --network=host: set it on the host"));
        if (scope == SysctlScope::ipc && spec.namespaces.ipc == "host")
            return invalid(cat("Sysctl= (--sysctl): ", quoted(name),
                               " would be the host's with --ipc=host: set it on the host"));
    }
    return {};
}

Result<> check_hostname(const MachineSpec& spec) {
    bool named = !spec.integration.hostname.empty() || !spec.integration.domainname.empty();
    if (named && spec.namespaces.uts == "host")
        return invalid(
            "Hostname= (--hostname) and UTS=host (--uts=host) exclude each other: the host's name stays");
    return {};
}
}  // namespace

Result<> validate(const MachineSpec& spec) {
    if (!spec.name.empty()) TRY(check_machine_name(spec.name));
    TRY(check_root(spec));
    TRY(check_mode(spec));
    TRY(check_network(spec.network));
    TRY(check_users(spec));
    TRY(check_security(spec.security));
    TRY(check_sysctls(spec));
    return check_hostname(spec);
}

}  // namespace croft::spec
