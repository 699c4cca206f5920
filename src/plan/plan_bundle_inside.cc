// What the payload's process does among the finished mounts of a bundle: kernel parameters, what is read-only or not
// to be seen, names, the terminal.
#include <sys/mount.h>

#include <algorithm>

#include "plan/bundle.h"
#include "spec/sysctls.h"

namespace croft::plan {

namespace {

Result<> check_sysctl(const Draft& d, const std::string& written) {
    std::string name = sysctl_path(written);
    std::ranges::replace(name, '/', '.');
    auto refuse = [&](std::string_view why) {
        return error(Errc::invalid, cat("linux.sysctl: ", quoted(written), " ", why));
    };
    using spec::SysctlScope;
    switch (spec::sysctl_scope(name)) {
        case SysctlScope::host:
            return refuse("belongs to the whole host, not to a container: set it on the host");
        case SysctlScope::network:
            if (d.spec.network.mode == spec::Network::Mode::host)
                return refuse("would be the host's: list a network namespace, or set it on the host");
            return {};
        case SysctlScope::ipc:
            if (d.spec.namespaces.ipc == "host")
                return refuse("would be the host's: list an ipc namespace, or set it on the host");
            return {};
        case SysctlScope::uts:
            if (d.spec.namespaces.uts == "host")
                return refuse("would be the host's: list a uts namespace, or set it on the host");
            return {};
        case SysctlScope::other:
            return {};
    }
    return {};
}

void protect(Draft& d) {
    const spec::Security& s = d.spec.security;
    if (s.readonly_paths)
        for (const std::string& path : *s.readonly_paths)
            d.inside(launch::BindInside{.source = path,
                                        .target = path,
                                        .attr = {.set = attr::ro},
                                        .recursive = true,
                                        .optional = true});
    if (s.masked_paths)
        for (const std::string& path : *s.masked_paths)
            d.inside(launch::Mask{.target = path, .optional = true, .follow = true});
}

Result<> name_it(Draft& d) {
    const spec::Integration& i = d.spec.integration;
    if (i.hostname.empty() && i.domainname.empty()) return {};
    if (d.spec.namespaces.uts == "host")
        return error(Errc::invalid, cat(i.hostname.empty() ? "domainname" : "hostname",
                                        ": it would be the host's: list a uts namespace in linux.namespaces"));
    d.inside(launch::SetHostname{i.hostname, i.domainname});
    return {};
}

// Last, because what was mounted before was to be private to the container.
void propagate(Draft& d) {
    using spec::Propagation;
    Propagation asked = d.spec.root.propagation;
    uint64_t bits = propagation_bits(asked);
    if (bits == MS_PRIVATE || bits == MS_SLAVE) return;
    const bool all = asked == Propagation::rshared || asked == Propagation::runbindable;
    d.inside(launch::SetAttr{.target = "/", .attr = {.propagation = bits}, .recursive = all});
}

}  // namespace

void plan_terminal(Draft& d, bool console) {
    const spec::Process& p = d.spec.process;
    d.terminal = p.terminal == spec::Terminal::pty;
    if (!d.terminal) return;
    launch::OpenConsole step{.console = console};
    if (p.console_size) step.rows = p.console_size->first, step.columns = p.console_size->second;
    d.inside(step);
}

Result<> plan_bundle_inside(Draft& d) {
    for (const auto& [name, value] : d.spec.security.sysctls) {
        TRY(check_sysctl(d, name));
        d.inside(launch::Sysctl{sysctl_path(name), value});
    }
    protect(d);
    TRY(name_it(d));
    if (d.launch.new_namespaces & 0x40000000 /* CLONE_NEWNET */) d.inside(launch::LoopbackUp{});
    plan_terminal(d, true);
    propagate(d);
    return {};
}

}  // namespace croft::plan
