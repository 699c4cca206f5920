// The kernel's own file systems, as the payload's process mounts them in its namespaces, and what of them it
// may not see or write.
//
// About masks and nesting. A user namespace may mount proc and sysfs of its own only where its mount
// namespace has one that nothing covers (mount_too_revealing() in the kernel), so masks usually forbid
// containers inside a machine. Here they do not: the stage below the root holds a pristine proc and sysfs,
// which the payload's mount namespace inherits and cannot reach. So masks are set in both modes. With private
// users they are a second fence only, because what they cover belongs to the host's root, who does not exist
// inside; without, they are what keeps /proc/kcore shut.
#include <sys/mount.h>

#include <algorithm>

#include "plan/user_mounts.h"

namespace croft::plan {

namespace {

using launch::Slot;

constexpr uint64_t quiet = attr::nosuid | attr::nodev | attr::noexec;

// As container engines do by custom for one program.
constexpr const char* app_masked[] = {"/proc/acpi",        "/proc/asound",  "/proc/interrupts",
                                      "/proc/kcore",       "/proc/keys",    "/proc/latency_stats",
                                      "/proc/sched_debug", "/proc/scsi",    "/proc/timer_list",
                                      "/proc/timer_stats", "/sys/firmware", "/sys/devices/virtual/powercap"};
constexpr const char* app_read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                         "/proc/sysrq-trigger"};
// As systemd expects to find them in a container: units of an init look into more of /proc.
constexpr const char* boot_masked[] = {"/proc/kallsyms", "/proc/kcore", "/proc/keys", "/proc/sysrq-trigger",
                                       "/proc/timer_list"};
constexpr const char* boot_read_only[] = {"/proc/acpi", "/proc/apm", "/proc/asound", "/proc/bus",
                                          "/proc/fs",   "/proc/irq", "/proc/scsi",   "/proc/sys"};

launch::Attach api_mount(Slot slot, const char* target, launch::Create create = launch::Create::no) {
    return {.slot = slot, .target = target, .create = create, .no_symlinks = true};
}

void mount_api(Draft& d, const char* type, std::vector<std::pair<std::string, std::string>> options,
               uint64_t attributes, const char* target, launch::Create create = launch::Create::no) {
    Slot slot = d.new_slot();
    d.inside(launch::MakeFs{slot, type, type, std::move(options), attributes});
    d.inside(api_mount(slot, target, create));
}

}  // namespace

// Brought along by the launcher, because the payload's user namespace does not own the namespace that the file system
// shows.
Slot open_api(Draft& d, std::string source, uint64_t attributes) {
    launch::OpenTree tree{.slot = d.new_slot(), .path = std::move(source)};
    // Mounts below it stay behind; in a user namespace of the caller's they are locked together and must come
    // along.
    tree.recursive = !d.facts.privileged;
    tree.attr = {.set = attributes, .propagation = MS_PRIVATE};
    Slot slot = tree.slot;
    d.host(std::move(tree));
    return slot;
}

bool may_mount(const Draft& d, bool owns_namespace) {
    return owns_namespace || (d.facts.privileged && !d.private_users);
}

namespace {

void bind_api(Draft& d, std::string source, const char* target, uint64_t attributes) {
    launch::Attach attach = d.attach(open_api(d, std::move(source), attributes), target);
    attach.no_symlinks = true;
    d.stage(std::move(attach));
}

void plan_stage_part(Draft& d) {
    if (!may_mount(d, d.own_pid)) bind_api(d, "/proc", "/proc", quiet);
    if (!may_mount(d, d.private_network)) bind_api(d, "/sys", "/sys", quiet | attr::ro);
    if (!may_mount(d, d.own_cgroup) && !d.facts.cgroup_root.empty())
        bind_api(d, d.facts.cgroup_root, "/sys/fs/cgroup", quiet | attr::ro);
    // A way out of a chroot leads to the stage, which must be empty then; a user namespace needs its
    // contents.
    if (!d.private_users && d.facts.privileged) d.stage(launch::DropStageApi{});
}

void plan_file_systems(Draft& d) {
    if (may_mount(d, d.own_pid)) mount_api(d, "proc", {}, quiet, "/proc", launch::Create::directory);
    // Read-only, always: a writable /sys is the host's hardware, and tells systemd that it may run udev.
    if (may_mount(d, d.private_network))
        mount_api(d, "sysfs", {}, quiet | attr::ro, "/sys", launch::Create::directory);
    if (may_mount(d, d.own_cgroup) && !d.facts.cgroup_root.empty())
        mount_api(d, "cgroup2", {}, d.boot ? quiet : quiet | attr::ro, "/sys/fs/cgroup");
    std::vector<std::pair<std::string, std::string>> pts = {{"ptmxmode", "0666"}, {"mode", "0620"}};
    // Group 5 is tty in every distribution; the id is the payload's.
    if (d.host_gid(5) && d.facts.privileged) pts.emplace_back("gid", "5");
    mount_api(d, "devpts", std::move(pts), attr::nosuid | attr::noexec, "/dev/pts");
    if (may_mount(d, d.own_ipc)) mount_api(d, "mqueue", {}, quiet, "/dev/mqueue");
}

}  // namespace

// As in sysctl(8), where the first separator is a '/', dots are part of names ("net/ipv4/conf/eth0.1/forwarding").
std::string sysctl_path(const std::string& name) {
    size_t first = name.find_first_of("./");
    if (first == name.npos || name[first] == '/') return name;
    std::string path = name;
    for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
    return path;
}

namespace {

void protect(Draft& d, const std::string& path) {
    d.inside(launch::BindInside{.source = path, .target = path, .attr = {.set = attr::ro}, .optional = true});
}

void plan_protection(Draft& d) {
    const spec::Security& s = d.spec.security;
    auto list = [](auto& defaults) {
        return std::vector<std::string>(std::begin(defaults), std::end(defaults));
    };
    auto masked = s.masked_paths ? *s.masked_paths : d.boot ? list(boot_masked) : list(app_masked);
    auto read_only = s.readonly_paths ? *s.readonly_paths
                     : d.boot         ? list(boot_read_only)
                                      : list(app_read_only);
    for (const std::string& path : read_only) protect(d, path);
    // The network's settings are the machine's own with a network of its own, and an init sets them.
    bool sys_is_read_only = std::find(read_only.begin(), read_only.end(), "/proc/sys") != read_only.end();
    if (d.boot && d.private_network && sys_is_read_only)
        d.inside(launch::BindInside{.source = "/proc/sys/net",
                                    .target = "/proc/sys/net",
                                    .attr = {.clear = attr::ro},
                                    .optional = true});
    for (const std::string& path : masked) d.inside(launch::Mask{path, true});
    for (const spec::Mount& mount : d.spec.mounts)
        if (mount.kind == spec::Mount::Kind::inaccessible && is_below_api(mount.target))
            d.inside(launch::Mask{mount.target, false});
    if (!d.boot) return;
    // What /proc says about the host's boot and kernel log is not about this machine.
    d.inside(launch::BindInside{.source = "/run/host/proc-sys-kernel-random-boot-id",
                                .target = "/proc/sys/kernel/random/boot_id",
                                .optional = true});
    d.inside(launch::BindInside{.source = "/run/host/proc-kmsg", .target = "/proc/kmsg", .optional = true});
}

void plan_names(Draft& d) {
    if (d.spec.namespaces.uts.empty() || d.spec.namespaces.uts == "private") {
        const spec::Integration& i = d.spec.integration;
        d.inside(launch::SetHostname{i.hostname.empty() ? d.spec.name : i.hostname, i.domainname});
    }
    if (d.private_network) d.inside(launch::LoopbackUp{});
}

// Without being asked for, only a shell that somebody sits at gets a terminal; an init always has a console.
void plan_console(Draft& d) {
    using spec::Terminal;
    const spec::Process& p = d.spec.process;
    bool somebody = d.facts.stdin_is_terminal && d.facts.stdout_is_terminal;
    d.terminal = d.boot || p.terminal == Terminal::pty ||
                 (p.terminal == Terminal::automatic && p.command.empty() && somebody);
    if (d.terminal) d.inside(launch::OpenConsole{});
}

// Last, because every mount before it was to be private: an init wants its mounts shared with the services
// that it starts in mount namespaces of their own (systemd makes them so on a host, and leaves it to the
// manager here).
void plan_propagation(Draft& d) {
    spec::Propagation asked = d.spec.root.propagation;
    if (asked == spec::Propagation::unset && !d.boot) return;
    uint64_t bits = asked == spec::Propagation::unset ? uint64_t{MS_SHARED} : propagation_bits(asked);
    if (bits != MS_PRIVATE) d.inside(launch::SetAttr{"/", {.propagation = bits}, true});
    // Out of a shared mount nothing can be moved, and that is what it is there for.
    if (d.has_incoming) d.inside(launch::SetAttr{"/run/host/incoming", {.propagation = MS_SLAVE}});
}

}  // namespace

Result<> plan_api(Draft& d) {
    plan_stage_part(d);
    d.inside(launch::EnterRoot{});
    plan_file_systems(d);
    for (const auto& [name, value] : d.spec.security.sysctls)
        d.inside(launch::Sysctl{sysctl_path(name), value});
    plan_protection(d);
    plan_names(d);
    plan_console(d);
    plan_propagation(d);
    return {};
}

}  // namespace croft::plan
