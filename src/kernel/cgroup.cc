#include "kernel/cgroup.h"

#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace croft::kernel {

namespace {
Result<Fd> open_group(int parent, const char* path) {
    return open_at(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}
}  // namespace

Result<> enable_controllers(int group, const std::vector<std::string>& controllers) {
    for (const std::string& controller : controllers) {
        Result<> done = write_file_at(group, "cgroup.subtree_control", cat("+", controller));
        if (done) continue;
        if (done.error().err == ENOENT || done.error().err == EINVAL)
            return error(Errc::unsupported,
                         cat("this host's cgroup2 tree has no ", controller, " controller here"));
        return std::move(done).within(cat("enabling the ", controller, " controller"));
    }
    return {};
}

Result<std::vector<std::string>> offered_controllers(int group, const std::vector<std::string>& wanted) {
    std::string offered = cat(" ", trim(TRY(read_file_at(group, "cgroup.controllers"))), " ");
    std::vector<std::string> out;
    for (const std::string& controller : wanted)
        if (offered.find(cat(" ", controller, " ")) != offered.npos) out.push_back(controller);
    return out;
}

Result<> step_aside(int group, const std::string& name) {
    if (mkdirat(group, name.c_str(), 0755) < 0 && errno != EEXIST)
        return os_error(errno, cat("making the cgroup ", name));
    return write_file_at(group, cat(name, "/cgroup.procs").c_str(), "0")
        .within(cat("moving into the cgroup ", name));
}

namespace {

// All in one write, which is what usually works; then each on its own, to know which does not.
Result<> enable(int group, const std::vector<std::string>& controllers, const std::vector<std::string>& more) {
    std::string all;
    for (const auto* list : {&controllers, &more})
        for (const std::string& name : *list) all += cat(all.empty() ? "+" : " +", name);
    if (all.empty() || write_file_at(group, "cgroup.subtree_control", all)) return {};
    TRY(enable_controllers(group, controllers));
    for (const std::string& name : more) (void)write_file_at(group, "cgroup.subtree_control", cat("+", name));
    return {};
}

// For what is there where the machine's own group is to be.
Result<> take_existing(int parent, const std::string& name, const std::string& path, Existing existing) {
    if (existing == Existing::take) return {};
    if (existing == Existing::replace) {
        // What an earlier machine left: only an empty group can be removed.
        if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) < 0)
            return error(Errc::busy, cat("the cgroup ", path,
                                         " is in use; 'croft doctor --repair' clears what no machine owns"));
        if (mkdirat(parent, name.c_str(), 0755) < 0) return os_error(errno, cat("making the cgroup ", path));
        return {};
    }
    std::string processes = TRY(read_file_at(parent, cat(name, "/cgroup.procs").c_str(), 1 << 16));
    if (processes.empty()) return {};
    return error(Errc::busy, cat("the cgroup ", path, " is in use: it has processes (the first is ",
                                 trim(std::string_view(processes).substr(0, processes.find('\n'))), ")"));
}

}  // namespace

Result<Fd> make_cgroup(const std::string& mount, const std::string& path,
                       const std::vector<std::string>& controllers, const std::vector<std::string>& more,
                       Existing existing) {
    Fd group = TRY(open_group(AT_FDCWD, mount.c_str()));
    size_t at = 0;
    while (at < path.size()) {
        size_t slash = std::min(path.find('/', at), path.size());
        std::string name = path.substr(at, slash - at);
        at = slash + 1;
        TRY(enable(group.get(), controllers, more));
        bool last = at >= path.size();
        int made = mkdirat(group.get(), name.c_str(), 0755);
        if (made < 0 && errno != EEXIST) return os_error(errno, cat("making the cgroup ", mount, "/", path));
        if (made < 0 && last) TRY(take_existing(group.get(), name, cat(mount, "/", path), existing));
        group = TRY(open_group(group.get(), name.c_str()));
    }
    return group;
}

Result<> delegate_cgroup(int group, uint32_t uid, uint32_t gid) {
    if (fchown(group, uid, gid) < 0) return os_error(errno, "giving the cgroup to the machine");
    for (const char* file : {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"})
        if (fchownat(group, file, uid, gid, 0) < 0 && errno != ENOENT)
            return os_error(errno, cat("giving ", file, " to the machine"));
    return {};
}

Result<> kill_cgroup(int group) {
    return write_file_at(group, "cgroup.kill", "1");
}

Result<> freeze_cgroup(int group, bool frozen) {
    return write_file_at(group, "cgroup.freeze", frozen ? "1" : "0");
}

namespace {

Result<std::vector<std::string>> children(int group) {
    Fd again = TRY(open_at(group, ".", O_RDONLY | O_DIRECTORY));
    DIR* dir = fdopendir(again.get());
    if (!dir) return os_error(errno, "reading a cgroup");
    [[maybe_unused]] int owned = again.release();
    std::vector<std::string> names;
    while (dirent* entry = readdir(dir))
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    closedir(dir);
    return names;
}

Result<> remove_below(int parent, const std::string& name, int& wait_ms) {
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    if (Result<Fd> group = open_group(parent, name.c_str())) {
        std::vector<std::string> below = TRY(children(group->get()));
        for (const std::string& child : below) TRY(remove_below(group->get(), child, wait_ms));
    }
    for (int pause = 1;; pause = std::min(pause * 2, 20)) {
        if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
        if (errno != EBUSY || wait_ms <= 0) return os_error(errno, cat("removing the cgroup ", name));
        poll(nullptr, 0, pause);
        wait_ms -= pause;
    }
}

Result<> collect_pids(int group, std::vector<int>& pids) {
    std::string text = TRY(read_file_at(group, "cgroup.procs", 1 << 22));
    for (const std::string& line : split(text, '\n'))
        if (auto pid = parse_int(line)) pids.push_back(static_cast<int>(*pid));
    std::vector<std::string> below = TRY(children(group));
    for (const std::string& child : below)
        if (Result<Fd> fd = open_group(group, child.c_str())) TRY(collect_pids(fd->get(), pids));
    return {};
}

}  // namespace

Result<> remove_cgroup(int parent, const std::string& name, int wait_ms) {
    return remove_below(parent, name, wait_ms);
}

Result<std::vector<int>> cgroup_pids(int group) {
    std::vector<int> pids;
    TRY(collect_pids(group, pids));
    return pids;
}

std::optional<uint64_t> cgroup_number(int group, const char* file) {
    Result<std::string> text = read_file_at(group, file);
    if (!text) return {};
    std::string_view value = trim(*text);
    return value == "max" ? UINT64_MAX : parse_uint(value);
}

std::optional<uint64_t> cgroup_value(int group, const char* file, std::string_view key) {
    Result<std::string> text = read_file_at(group, file);
    if (!text) return {};
    for (const std::string& line : split(*text, '\n'))
        if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
            return parse_uint(std::string_view(line).substr(key.size() + 1));
    return {};
}

}  // namespace croft::kernel
