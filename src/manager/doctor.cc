// What the host lacks. What earlier machines left is in leftovers.cc.
#include "manager/doctor.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "host/facts.h"
#include "manager/leftovers.h"
#include "manager/supervisor.h"

namespace croft::manager {
namespace {

using Level = Finding::Level;

class Report {
  public:
    void ok(const char* topic, std::string text) { add(Level::ok, topic, std::move(text), ""); }
    void note(const char* topic, std::string text, std::string advice) {
        add(Level::note, topic, std::move(text), std::move(advice));
    }
    void problem(const char* topic, std::string text, std::string advice) {
        add(Level::problem, topic, std::move(text), std::move(advice));
    }
    std::vector<Finding> findings;

  private:
    void add(Level level, const char* topic, std::string text, std::string advice) {
        findings.push_back({level, topic, std::move(text), std::move(advice), false, false});
    }
};

std::string first_word(const char* path) {
    auto text = read_file_at(AT_FDCWD, path, 4096);
    return text ? std::string(trim(*text)) : "";
}

void check_kernel(const spec::HostFacts& facts, Report& report) {
    std::string version =
        cat("Linux ", facts.kernel_major, ".", facts.kernel_minor, ", ", facts.machine_arch);
    bool old = facts.kernel_major < 5 || (facts.kernel_major == 5 && facts.kernel_minor < 14);
    if (old)
        report.problem("kernel", cat(version, ": croft needs 5.14 or later (mount_setattr, cgroup.kill)"),
                       "boot a newer kernel");
    else
        report.ok("kernel", version);
    if (!facts.has_idmap)
        report.problem("idmapped mounts", "this kernel has none",
                       "use --private-users=no, or a kernel from 5.12 on");
}

void check_privilege(const Paths& paths, const spec::HostFacts& facts, Report& report) {
    std::string limit = first_word("/proc/sys/user/max_user_namespaces");
    if (limit == "0")
        report.problem("user namespaces", "none may be made here (user.max_user_namespaces is 0)",
                       "sysctl user.max_user_namespaces=10000, or use --private-users=no");
    else if (access("/proc/self/ns/user", F_OK) < 0)
        report.problem("user namespaces", "this kernel has none", "use --private-users=no");
    else
        report.ok("user namespaces", "they can be made");
    if (paths.system && !facts.privileged)
        report.note("privileges", "this is a root without all its rights (in a container?)",
                    "machines get no private users and no device nodes of their own here");
    if (paths.system) return;
    if (first_word("/proc/sys/kernel/unprivileged_userns_clone") == "0")
        report.problem("rootless", "users may not make user namespaces here",
                       "sysctl kernel.unprivileged_userns_clone=1, or run croft as root");
    if (first_word("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1")
        report.problem("rootless", "AppArmor restricts the user namespaces of users here",
                       "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run croft as root");
    if (access("/usr/bin/newuidmap", X_OK) < 0)
        report.note("rootless", "newuidmap is not installed: a machine has one user only",
                    "install it (Debian: uidmap) and give yourself a range in /etc/subuid");
}

void check_cgroup(const spec::HostFacts& facts, Report& report) {
    if (facts.cgroup_root.empty()) {
        report.problem(
            "cgroup", "no cgroup2 that may be used: limits, pause and counting processes do not work",
            facts.privileged
                ? "mount -t cgroup2 none /sys/fs/cgroup"
                : "run below a delegated cgroup: systemd-run --user --scope -p Delegate=yes croft …");
        return;
    }
    std::string missing;
    for (const char* wanted : {"cpu", "memory", "pids", "io"})
        if (std::find(facts.cgroup_controllers.begin(), facts.cgroup_controllers.end(), wanted) ==
            facts.cgroup_controllers.end())
            missing += cat(missing.empty() ? "" : ", ", wanted);
    if (missing.empty())
        report.ok("cgroup", cat("cgroup2 at ", facts.cgroup_root, " with cpu, memory, pids and io"));
    else
        report.note(
            "cgroup", cat("cgroup2 at ", facts.cgroup_root, " lacks ", missing, ": such limits are refused"),
            "boot with cgroup v2 only (systemd.unified_cgroup_hierarchy=1 on the kernel's command line)");
}

void check_file_systems(Report& report) {
    auto known = read_file_at(AT_FDCWD, "/proc/filesystems", 1 << 16);
    bool overlay = known && known->find("\toverlay\n") != std::string::npos;
    if (overlay)
        report.ok("overlay", "overlayfs is there");
    else
        report.note("overlay", "overlayfs is not loaded: --ephemeral, --volatile and --overlay may fail",
                    "modprobe overlay");
    struct stat st = {};
    if (stat("/sys/fs/bpf", &st) < 0)
        report.note("devices",
                    "there is no /sys/fs/bpf: the device policy's program is made anew for each start", "");
}

// Who starts and stops machines here, and what of that is not installed.
void check_supervisor(const Paths& paths, Report& report) {
    if (!machines_are_units(paths))
        return report.ok("supervisor", "machines have a parent of their own: systemd is not PID 1 here, or not asked");
    report.ok("supervisor", "machines are units of systemd");
    if (access("/run/systemd/machines", F_OK) < 0)
        report.note("supervisor", "there is no systemd-machined: machinectl and `systemctl -M` do not know machines",
                    "install it (Debian: systemd-container)");
    bool has_template = false;
    for (const char* directory : {"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
                                  "/usr/lib/systemd/system", "/lib/systemd/system"})
        has_template = has_template || access(cat(directory, "/croft@.service").c_str(), F_OK) == 0;
    if (!has_template)
        report.note("supervisor", "croft@.service is not installed: declared machines start as units of their own, and not "
                                  "with the host", "install croft's units (meson install, or the package)");
}

void check_helpers(const Paths& paths, Report& report) {
    std::string missing;
    std::vector<const char*> wanted = {"croft-init", "croft-hold", "croft-seccomp"};
    if (machines_are_units(paths)) wanted.insert(wanted.end(), {"croft-launch", "croft-systemd"});
    for (const char* name : wanted)
        if (access(cat(paths.helpers, "/", name).c_str(), X_OK) < 0)
            missing += cat(missing.empty() ? "" : ", ", name);
    if (missing.empty())
        report.ok("helpers", cat("in ", paths.helpers));
    else
        report.problem("helpers", cat(missing, " not found in ", paths.helpers),
                       "install croft, or set CROFT_HELPER_DIR");
}

void check_directories(const Paths& paths, Report& report) {
    if (auto machines = open_machines(paths); !machines)
        report.problem("run directory", machines.error().text, "");
    else
        report.ok("run directory", paths.run);
}

}  // namespace

Result<std::vector<Finding>> doctor(const Paths& paths, Repair repair) {
    spec::HostFacts facts;
    facts.cgroup_base = paths.cgroup_base;
    host::ask_kernel(facts);
    host::find_cgroup2(facts);
    Report report;
    check_kernel(facts, report);
    check_privilege(paths, facts, report);
    check_cgroup(facts, report);
    check_file_systems(report);
    check_supervisor(paths, report);
    check_helpers(paths, report);
    check_directories(paths, report);
    std::vector<Finding> leftovers = TRY(find_leftovers(paths, facts, repair));
    std::move(leftovers.begin(), leftovers.end(), std::back_inserter(report.findings));
    return std::move(report.findings);
}

}  // namespace croft::manager
