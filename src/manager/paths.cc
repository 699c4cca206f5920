#include "manager/paths.h"

#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/host_root.h"
#include "base/log.h"
#include "base/text.h"

#ifndef CROFT_LIBEXECDIR
#define CROFT_LIBEXECDIR "/usr/libexec/croft"
#endif

namespace croft::manager {
namespace {

constexpr const char* system_run = "/run/croft";

std::string environment(const char* name) {
    const char* value = getenv(name);
    return value ? value : "";
}

// A directory from the environment that must be absolute: a relative one would mean another place in each
// directory.
Result<std::string> directory_from(const char* name, std::string otherwise) {
    std::string value = environment(name);
    if (value.empty()) return otherwise;
    if (value[0] != '/') return error(Errc::invalid, cat(name, "=", quoted(value), " is no absolute path"));
    while (value.size() > 1 && value.back() == '/') value.pop_back();
    return value;
}

// The helpers stand in libexecdir; beside croft itself where it runs from a directory that has them.
std::string find_helpers() {
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    std::string path(self, n > 0 ? static_cast<size_t>(n) : 0);
    path.resize(path.rfind('/') == path.npos ? 0 : path.rfind('/'));
    if (!path.empty() && access((path + "/croft-hold").c_str(), X_OK) == 0) return path;
    return CROFT_LIBEXECDIR;
}

Result<> fill_user_paths(Paths& paths) {
    std::string home = environment("HOME");
    std::string runtime = TRY(directory_from("XDG_RUNTIME_DIR", ""));
    // Without a session (su, cron) there is no such directory; a private one of our own does, if it is really
    // ours.
    if (runtime.empty()) runtime = cat("/run/user/", geteuid());
    if (access(runtime.c_str(), W_OK) < 0) runtime = cat("/tmp/croft-", geteuid());
    paths.run = runtime + "/croft";
    paths.cache = TRY(directory_from("XDG_CACHE_HOME", home + "/.cache")) + "/croft";
    paths.state = TRY(directory_from("XDG_DATA_HOME", home + "/.local/share")) + "/croft";
    std::string config = TRY(directory_from("XDG_CONFIG_HOME", home.empty() ? "" : home + "/.config"));
    if (!config.empty()) paths.config = config + "/croft/machines";
    return {};
}

bool is_tmpfs(const char* path) {
    struct statfs fs = {};
    return statfs(path, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

// What is in the run directory must not outlive a boot, and a start makes and removes a directory in it: on a
// disk that costs milliseconds (ext4 waits for its journal). So where /run is no tmpfs, as on hosts without
// an init that makes it one, croft's part of it becomes one.
void mount_run_directory(const Paths& paths) {
    if (!paths.system || paths.run != system_run || is_tmpfs(system_run)) return;
    // One command at a time, or the second tmpfs would hide the first one's machines.
    Fd below(open("/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!below || flock(below.get(), LOCK_EX) < 0 || is_tmpfs(system_run)) return;
    if (mount("croft", system_run, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755,size=20%") < 0)
        debug(cat("no tmpfs at ", system_run, ": ", errno_text(errno)));
}

}  // namespace

Result<Paths> find_paths() {
    Paths paths;
    paths.system = is_host_root();
    if (paths.system)
        paths.run = system_run, paths.cache = "/var/cache/croft", paths.state = "/var/lib/croft",
        paths.config = "/etc/croft/machines";
    else
        TRY(fill_user_paths(paths));
    paths.run = TRY(directory_from("CROFT_RUN_DIR", paths.run));
    paths.cache = TRY(directory_from("CROFT_CACHE_DIR", paths.cache));
    paths.state = TRY(directory_from("CROFT_STATE_DIR", paths.state));
    paths.config = TRY(directory_from("CROFT_CONFIG_DIR", paths.config));
    paths.helpers = TRY(directory_from("CROFT_HELPER_DIR", ""));
    if (paths.helpers.empty()) paths.helpers = find_helpers();
    paths.machines = paths.run + "/machines";
    paths.scratch = paths.state + "/scratch";
    // Another run directory means machines with the same names: they must not meet in one cgroup.
    paths.cgroup_base = environment("CROFT_CGROUP");
    if (paths.cgroup_base.empty()) paths.cgroup_base = "croft";
    return paths;
}

Result<Fd> open_machines(const Paths& paths) {
    int fd = open(paths.machines.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        TRY(make_dirs_at(AT_FDCWD, paths.run).within("making croft's run directory"));
        mount_run_directory(paths);
        // Which machines the system has is nobody's business but root's; croftd tells whom polkit lets know.
        if (mkdir(paths.machines.c_str(), paths.system ? 0700 : 0755) < 0 && errno != EEXIST)
            return os_error(errno, cat("making ", quoted(paths.machines)));
        fd = open(paths.machines.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd < 0) return os_error(errno, cat("opening ", quoted(paths.machines)));
    Fd machines(fd);
    struct stat st = {};
    // In /tmp somebody else may have been first: what we believe and execute must be our own.
    if (fstat(fd, &st) < 0 || (st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 022))
        return error(Errc::denied, cat(quoted(paths.machines),
                                       " belongs to somebody else or can be written by others; "
                                       "remove it, or set XDG_RUNTIME_DIR"));
    return machines;
}

}  // namespace croft::manager
