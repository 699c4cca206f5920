// What is refused before anything is planned: settings that croft cannot honour yet, and trees that cannot be
// booted.
#include "plan/draft.h"

namespace croft::plan {

namespace {

Error not_yet(std::string_view setting, std::string_view instead = "") {
    return error(Errc::unsupported,
                 cat(setting, " is not available yet", instead.empty() ? "" : ": ", instead));
}

// A setting that is silently not honoured would be a lie, so each one is refused by name.
Result<> refuse_unknown_ground(const spec::MachineSpec& spec) {
    const spec::Resources& r = spec.resources;
    if (r.rdt) return not_yet("Intel RDT (intelRdt)");
    if (!r.memory_policy.empty())
        return not_yet("a NUMA memory policy (memoryPolicy)", "use --allowed-memory-nodes");
    const spec::Hooks& h = spec.hooks;
    if (!h.prestart.empty() || !h.create_runtime.empty() || !h.create_container.empty() ||
        !h.start_container.empty() || !h.poststart.empty() || !h.poststop.empty())
        return not_yet("running hooks");
    if (!spec.net_devices.empty()) return not_yet("moving network devices in (netDevices)");
    if (!spec.process.selinux_mount_label.empty())
        return not_yet("SELinuxApiFsContext= (--selinux-apifs-context)",
                       "leave it out; --selinux-context works");
    if (spec.security.seccomp && !spec.security.seccomp->listener_path.empty())
        return not_yet("a seccomp listener (listenerPath)");
    const std::string& journal = spec.integration.link_journal;
    if (journal == "host" || journal == "guest")
        return not_yet(cat("LinkJournal=", journal, " (--link-journal)"),
                       "use `croft logs`, or journalctl -D TREE/var/log/journal");
    return {};
}

Result<> check_tree(const Draft& d) {
    const spec::TreeFacts& tree = d.facts.tree;
    const std::string where = quoted(d.spec.root.directory);
    bool throwaway = d.spec.root.ephemeral || d.spec.root.volatile_mode != spec::Volatile::no;
    if (tree.directory == "/" && !throwaway && !d.spec.root.read_only)
        return error(Errc::invalid,
                     "the tree '/' is the running host itself: use --ephemeral (a throwaway copy), "
                     "--volatile or --read-only");
    // With --pivot-root the tree to look at is further inside.
    bool look = d.spec.root.os_check == spec::OsCheck::require && d.spec.root.pivot_new.empty();
    if (look && !tree.is_os_tree)
        return error(Errc::invalid,
                     cat(where,
                         " is no OS tree: it has no usr/, no bin/ and no os-release; give the top "
                         "directory of one, or --force-tree if this is meant"));
    if (d.boot && tree.init.empty())
        return error(Errc::no_command, cat("there is no init in ", where,
                                           ": install one there (Debian: systemd-sysv), or "
                                           "start a single program with `croft run`"));
    if (d.spec.root.volatile_mode == spec::Volatile::yes && !tree.usr_merged)
        return error(Errc::invalid,
                     cat("--volatile=yes needs a tree with everything in /usr (bin, lib and sbin as links "
                         "into it), and ",
                         where, " is not one: use --volatile=overlay"));
    return {};
}

}  // namespace

Result<> check_offered(const Draft& d) {
    TRY(refuse_unknown_ground(d.spec));
    if (d.boot && d.facts.tree.uid != 0)
        return error(Errc::invalid,
                     "a booted machine's init is always root: --user is for `croft run` and `croft exec`");
    return check_tree(d);
}

}  // namespace croft::plan
