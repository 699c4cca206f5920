// Privileges: capabilities and the system call filter.
#include <algorithm>

#include "plan/capabilities.h"
#include "plan/draft.h"
#include "spec/seccomp_request.h"

namespace croft::plan {

namespace {

constexpr uint64_t net_bind_service = uint64_t{1} << 10, net_admin = uint64_t{1} << 12,
                   mknod = uint64_t{1} << 27;

uint64_t default_set(const Draft& d) {
    if (!d.boot) return app_capabilities();
    uint64_t set = boot_capabilities();
    // An init configures the network that is its own; on the host's, a user namespace's capability would be
    // worth nothing, and programs that find it would try and fail.
    if (d.private_network) set |= net_admin;
    if (d.private_users && !d.private_network) set &= ~net_bind_service;
    return set;
}

Result<uint64_t> bounding_set(Draft& d) {
    const spec::Security& s = d.spec.security;
    uint64_t last = d.facts.last_capability;
    uint64_t add = TRY(capability_set(s.cap_add, last).within("--cap-add"));
    uint64_t ambient = TRY(capability_set(s.cap_ambient, last).within("--ambient-capability"));
    uint64_t result = TRY(adjusted_set(default_set(d), s, last));
    // Without a device policy, a payload that is root of the host could make itself a node of the host's
    // disk.
    if (!d.device_policy && !d.private_users && d.facts.privileged && !(add & mknod)) result &= ~mknod;
    if (d.private_users || !d.facts.privileged) return result;  // a new user namespace starts with all
    uint64_t missing = (add | ambient) & result & ~d.facts.capability_bounding;
    if (missing)
        d.warn(cat("croft itself does not have ", join(capability_names(missing), ", "),
                   ": the machine goes without"));
    return result & d.facts.capability_bounding;
}

// The five sets as they were given. What cannot be granted is left out, and told.
Result<> exact_capabilities(Draft& d) {
    launch::Process& p = d.launch.process;
    const spec::CapabilitySets sets = d.spec.security.capabilities.value_or(spec::CapabilitySets());
    uint64_t all = 0, unknown_bits = 0;
    std::vector<std::string> unknown;
    auto read = [&](const std::vector<std::string>& names) {
        uint64_t set = 0;
        for (const std::string& name : names) {
            auto number = capability_number(name);
            if (number)
                set |= uint64_t{1} << *number;
            else if (std::ranges::find(unknown, name) == unknown.end())
                unknown.push_back(name);
        }
        all |= set;
        return set;
    };
    p.cap_bounding = read(sets.bounding), p.cap_effective = read(sets.effective);
    p.cap_inheritable = read(sets.inheritable), p.cap_ambient = read(sets.ambient);
    uint64_t permitted = read(sets.permitted);
    // A new user namespace starts with all that the kernel knows.
    if (!d.private_users) unknown_bits = all & ~d.facts.capability_bounding;
    for (std::string& name : capability_names(unknown_bits)) unknown.push_back(std::move(name));
    if (!unknown.empty())
        d.warn(cat("process.capabilities: ", join(unknown, ", "),
                   " cannot be granted here: the container goes without"));
    const uint64_t grantable = ~unknown_bits;
    permitted &= grantable;
    // The kernel's own rules (capabilities(7)): more than these cannot be had.
    p.cap_bounding &= grantable, p.cap_effective &= permitted, p.cap_inheritable &= grantable;
    p.cap_ambient &= permitted & p.cap_inheritable;
    if (permitted != p.cap_effective) p.cap_permitted = permitted;
    p.no_new_privileges = d.spec.security.no_new_privileges.value_or(false);
    return {};
}

Result<> plan_capabilities(Draft& d) {
    if (d.bundle) return exact_capabilities(d);
    launch::Process& p = d.launch.process;
    p.cap_bounding = TRY(bounding_set(d));
    p.cap_ambient =
        TRY(capability_set(d.spec.security.cap_ambient, d.facts.last_capability)) & p.cap_bounding;
    // Inheritable is what file capabilities add to; beyond the ambient set it must be empty (CVE-2022-24769).
    p.cap_inheritable = p.cap_ambient;
    p.cap_effective = p.uid == 0 ? p.cap_bounding : p.cap_ambient;
    p.no_new_privileges = d.spec.security.no_new_privileges.value_or(!d.boot && p.uid != 0);
    return {};
}

// A user's keyring belongs to a user namespace: without private users root inside finds the keys of the host's root
// (of mounts, of the administrator's tools). Who allows any of the calls by name has decided otherwise.
spec::Security without_host_keys(const Draft& d) {
    spec::Security s = d.spec.security;
    if (d.private_users || !d.facts.privileged) return s;
    for (const std::string& name : s.syscalls_allow)
        for (std::string_view key_call : {"@keyring", "add_key", "keyctl", "request_key"})
            if (name == key_call) return s;
    s.syscalls_deny.push_back("@keyring");
    return s;
}

Result<> plan_seccomp(Draft& d) {
    const spec::Security& s = d.spec.security;
    if (d.bundle && !s.seccomp) return {};
    if (s.seccomp_off) {
        d.warn("without a system call filter every bug of the kernel is within the payload's reach");
        return {};
    }
    if (!d.facts.has_seccomp) {
        bool asked =
            s.seccomp || !s.syscalls_allow.empty() || !s.syscalls_deny.empty() || !s.address_families.empty();
        if (asked)
            return error(Errc::unsupported, "this kernel has no system call filters (CONFIG_SECCOMP_FILTER)");
        d.warn(
            "this kernel has no system call filters (CONFIG_SECCOMP_FILTER): the machine runs without one");
        return {};
    }
    launch::Process& p = d.launch.process;
    if (s.seccomp)
        p.seccomp_listener = s.seccomp->listener_path, p.seccomp_metadata = s.seccomp->listener_metadata;
    p.seccomp = s.seccomp ? TRY(spec::profile_request(*s.seccomp).within(named(d, "--seccomp", "linux.seccomp")))
                          : TRY(spec::default_request(p.cap_bounding, without_host_keys(d)));
    return {};
}

}  // namespace

Result<> plan_security(Draft& d) {
    TRY(plan_capabilities(d));
    return plan_seccomp(d);
}

}  // namespace croft::plan
