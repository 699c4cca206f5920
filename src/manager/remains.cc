#include "manager/remains.h"

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "manager/id_ranges.h"
#include "manager/image_root.h"
#include "manager/leader.h"
#include "base/lock_file.h"
#include "base/remove_tree.h"

namespace croft::manager {
bool is_below(std::string_view path, std::string_view directory) {
    return path.size() > directory.size() + 1 && path.starts_with(directory) &&
           path[directory.size()] == '/' && cat(path, "/").find("/../") == std::string::npos;
}

namespace {

// The work directory of a user's overlay, which overlayfs wants beside the upper layer: wherever that is, a
// directory of this name was made by a plan of ours.
bool is_work_directory(std::string_view path) {
    size_t slash = path.rfind('/');
    return slash != path.npos && path.substr(slash + 1).starts_with(".#croft-work-") &&
           path.find("/../") == path.npos;
}

// Groups below first: rmdir wants an empty one.
void remove_groups_below(const std::string& path, int depth) {
    DIR* dir = depth < 32 ? opendir(path.c_str()) : nullptr;
    if (!dir) return;
    while (dirent* entry = readdir(dir)) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
        std::string inner = cat(path, "/", entry->d_name);
        if (rmdir(inner.c_str()) == 0) continue;
        remove_groups_below(inner, depth + 1);
        rmdir(inner.c_str());
    }
    closedir(dir);
}

void pause_for(long milliseconds) {
    timespec time = {0, milliseconds * 1'000'000};
    nanosleep(&time, nullptr);
}

// The group that is ours to remove: a unit's own is systemd's, and whoever clears up may be in it.
std::string own_group(const Record& record) {
    if (record.unit.empty() || record.cgroup.empty()) return record.cgroup;
    return record.cgroup + "/payload";
}

// The first process of a machine whose keeper is gone is still ours to end; with it ends its whole PID
// namespace.
void kill_process(const ProcessId& process) {
    auto pidfd = open_process(process);
    if (!pidfd || !send_signal(pidfd->get(), SIGKILL)) return;
    wait_gone(pidfd->get(), 5'000'000);
}

// What lies in the machine's tree is reached as the machine would reach it, so that no symlink leads out of it.
Result<> remove_path(const Record& record, const std::string& path) {
    if (record.tree.empty() || !is_below(path, record.tree)) return remove_tree_at(AT_FDCWD, path.c_str());
    std::string inside = path.substr(record.tree.size());
    size_t slash = inside.rfind('/');
    auto tree = open_at(AT_FDCWD, record.tree.c_str(), O_PATH | O_DIRECTORY);
    if (!tree) return tree.error().err == ENOENT ? Result<>() : std::move(tree).error();
    auto parent = open_in_root(tree->get(), slash ? inside.substr(0, slash).c_str() : "/", O_RDONLY | O_DIRECTORY);
    if (!parent) return parent.error().err == ENOENT ? Result<>() : std::move(parent).error();
    return remove_tree_at(parent->get(), inside.substr(slash + 1).c_str());
}

Result<> remove_directory(const Paths& paths, const Record& record, const std::string& path) {
    if (!is_below(path, paths.scratch) && !is_below(path, uses_path(paths)) && !is_work_directory(path) &&
        !is_below(path, propagate_place)) {
        warn(cat("not removing ", quoted(path), ": it is not below ", paths.scratch));
        return {};
    }
    return remove_path(record, path).within(cat("removing ", quoted(path)));
}

}  // namespace

Result<> remove_cgroup(const std::string& path) {
    if (path.empty() || rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
    // Thawed, because a frozen process is killed only after that on kernels before 5.13.
    (void)write_file_at(AT_FDCWD, (path + "/cgroup.freeze").c_str(), "0");
    if (!write_file_at(AT_FDCWD, (path + "/cgroup.kill").c_str(), "1")) {
        // cgroup.kill is there since Linux 5.14; before it, each process is killed by its number.
        if (auto procs = read_file_at(AT_FDCWD, (path + "/cgroup.procs").c_str()))
            for (const std::string& line : split(*procs, '\n'))
                if (auto pid = parse_uint(line); pid && *pid > 1) ::kill(static_cast<pid_t>(*pid), SIGKILL);
    }
    // What was killed leaves the group when it is reaped, a moment later.
    for (int tries = 0; tries < 500; ++tries) {
        remove_groups_below(path, 0);
        if (rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
        if (errno != EBUSY) return os_error(errno, cat("removing the cgroup ", path));
        pause_for(tries < 20 ? 1 : 10);
    }
    return error(Errc::busy,
                 cat("the cgroup ", path, " does not become empty: ", join(processes_in(path), ", ")));
}

Result<> clear_remains(const Paths& paths, const Record& record) {
    Result<> first;
    auto keep_first = [&](Result<> result) {
        if (!result && first) first = std::move(result);
    };
    if (record.leader.pid) kill_process(record.leader);
    std::string group = own_group(record);
    if (is_below(group, "/sys/fs/cgroup")) keep_first(remove_cgroup(group));
    for (const std::string& path : record.remove_trees) keep_first(remove_directory(paths, record, path));
    for (const DiskDevice& device : record.devices) keep_first(close_device(device));
    if (record.id_base) release_ids(paths, record.name, *record.id_base);
    for (const std::string& path : record.locks)
        if (is_below(path, paths.run) || is_below(path, "/run/systemd/nspawn/locks") ||
            is_below(path, "/run/systemd/nspawn-uid"))
            remove_lock_file(path);
    return first;
}

Result<> clear_for_reboot(const Record& record) {
    TRY(remove_cgroup(own_group(record)));
    // An overlay mounted "volatile" leaves a mark in its work directory and is refused the next time
    // (kernel's overlayfs.rst, "Volatile mount"); this one was left in good order.
    for (const std::string& path : record.remove_trees)
        TRY(remove_path(record, path + "/work").within(cat("removing ", quoted(path + "/work"))));
    return {};
}

}  // namespace croft::manager
