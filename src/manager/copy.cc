#include "manager/copy.h"

#include <dirent.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <map>

#include "base/log.h"
#include "base/scope.h"
#include "base/text.h"
#include "manager/copy_file.h"
#include "manager/guest_ids.h"
#include "manager/leader.h"
#include "base/remove_tree.h"
#include "manager/states.h"

namespace croft::manager {
namespace {

constexpr uint32_t nobody = 65534;
constexpr int deepest = 250;  // each level holds descriptors on both sides

// Walks a source below an open directory and makes the same below another one. Every name is taken relative
// to a descriptor and without following a symlink, on both sides: while it walks, the guest may change its
// tree as it likes, and must gain nothing by it.
class Copier {
  public:
    Copier(const GuestIds& ids, Direction direction) : ids_(ids), direction_(direction) {}
    Result<> entry(int from_dir, const char* from, int to_dir, const char* to, const std::string& shown,
                   int depth);
    // Where hard links are looked for: the target's top directory.
    int top = -1;

  private:
    Result<> directory(int source, const struct stat& st, int to_dir, const char* to,
                       const std::string& shown, int depth);
    Result<> regular(int found, const struct stat& st, int to_dir, const char* to, const std::string& shown);
    Result<> symlink(int from_dir, const char* from, int to_dir, const char* to);
    Result<bool> link_known(const struct stat& st, int to_dir, const char* to, const std::string& shown);
    Result<> apply(int to_dir, const char* to, const struct stat& st);
    uint32_t translate(const std::vector<GuestIds::Map>& maps, uint32_t id) const;

    const GuestIds& ids_;
    Direction direction_;
    std::map<std::pair<dev_t, ino_t>, std::string> linked_;
};

// In: the number inside is the number on the host. Out: the other way round. Numbers without a partner are
// nobody's, or the machine's root's where there is no nobody (a user's machine with one id).
uint32_t Copier::translate(const std::vector<GuestIds::Map>& maps, uint32_t id) const {
    if (direction_ == Direction::out)
        if (auto inside = GuestIds::to_inside(maps, id)) return *inside;
    auto outside = GuestIds::to_outside(maps, direction_ == Direction::out ? nobody : id);
    if (direction_ == Direction::out) return outside ? nobody : 0;
    if (!outside) outside = GuestIds::to_outside(maps, nobody);
    return outside.value_or(GuestIds::to_outside(maps, 0).value_or(0));
}

Result<> Copier::apply(int to_dir, const char* to, const struct stat& st) {
    uint32_t uid = translate(ids_.uids, st.st_uid), gid = translate(ids_.gids, st.st_gid);
    if (fchownat(to_dir, to, uid, gid, AT_SYMLINK_NOFOLLOW) < 0) return os_error(errno, "setting the owner");
    if (!S_ISLNK(st.st_mode)) {
        // A set-user-id file that a guest's root made must not become one of the host's root.
        mode_t mode = st.st_mode & (direction_ == Direction::out && !S_ISDIR(st.st_mode) ? 01777u : 07777u);
        // fchmodat follows symlinks, so the mode is set on what was opened and is known.
        Fd fd(openat(to_dir, to, O_PATH | O_NOFOLLOW | O_CLOEXEC));
        struct stat now = {};
        if (!fd || fstat(fd.get(), &now) < 0) return os_error(errno, "setting the mode");
        if (S_ISLNK(now.st_mode))
            return error(Errc::failed, "it was replaced by a symlink while it was copied");
        if (chmod(cat("/proc/self/fd/", fd.get()).c_str(), mode) < 0)
            return os_error(errno, "setting the mode");
    }
    timespec times[2] = {st.st_atim, st.st_mtim};
    utimensat(to_dir, to, times, AT_SYMLINK_NOFOLLOW);
    return {};
}

Result<bool> Copier::link_known(const struct stat& st, int to_dir, const char* to, const std::string& shown) {
    if (st.st_nlink < 2) return false;
    auto [known, fresh] = linked_.try_emplace({st.st_dev, st.st_ino}, shown);
    if (fresh) return false;
    Fd first = TRY(open_in_root(top, known->second.c_str(), O_PATH | O_NOFOLLOW));
    if (linkat(AT_FDCWD, cat("/proc/self/fd/", first.get()).c_str(), to_dir, to, AT_SYMLINK_FOLLOW) < 0)
        return os_error(errno, "making a hard link");
    return true;
}

Result<> Copier::regular(int found, const struct stat& st, int to_dir, const char* to,
                         const std::string& shown) {
    if (TRY(link_known(st, to_dir, to, shown))) return {};
    Fd source = TRY(open_at(AT_FDCWD, cat("/proc/self/fd/", found).c_str(), O_RDONLY | O_NOCTTY));
    Fd target = TRY(open_at(to_dir, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    TRY(copy_content(source.get(), target.get(), st.st_size));
    copy_user_attributes(source.get(), target.get());
    return apply(to_dir, to, st);
}

Result<> Copier::symlink(int from_dir, const char* from, int to_dir, const char* to) {
    char target[4097];
    ssize_t n = readlinkat(from_dir, from, target, sizeof target - 1);
    if (n < 0) return os_error(errno, "reading a symlink");
    target[n] = 0;
    if (symlinkat(target, to_dir, to) < 0) return os_error(errno, "making a symlink");
    return {};
}

Result<> Copier::directory(int source, const struct stat& st, int to_dir, const char* to,
                           const std::string& shown, int depth) {
    if (depth >= deepest) return error(Errc::failed, "it is nested too deeply");
    if (mkdirat(to_dir, to, 0700) < 0 && errno != EEXIST) return os_error(errno, "making a directory");
    Fd target = TRY(open_at(to_dir, to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    DIR* entries = fdopendir(openat(source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!entries) return os_error(errno, "reading a directory");
    OnExit close_entries([&] { closedir(entries); });
    while (dirent* one = readdir(entries)) {
        if (!strcmp(one->d_name, ".") || !strcmp(one->d_name, "..")) continue;
        TRY(entry(source, one->d_name, target.get(), one->d_name, cat(shown, "/", one->d_name), depth + 1));
    }
    return apply(to_dir, to, st);
}

Result<> Copier::entry(int from_dir, const char* from, int to_dir, const char* to, const std::string& shown,
                       int depth) {
    auto inner = [&]() -> Result<> {
        Fd found = TRY(open_at(from_dir, from, O_PATH | O_NOFOLLOW));
        struct stat st = {}, there = {};
        if (fstat(found.get(), &st) < 0) return os_error(errno, "looking at it");
        bool exists = fstatat(to_dir, to, &there, AT_SYMLINK_NOFOLLOW) == 0;
        if (exists && S_ISDIR(there.st_mode) != S_ISDIR(st.st_mode))
            return error(Errc::exists, "a directory and another kind of file have this name");
        // Never written through: what is there may be a symlink or a hard link to something else.
        if (exists && !S_ISDIR(there.st_mode) && unlinkat(to_dir, to, 0) < 0)
            return os_error(errno, "replacing it");
        if (S_ISREG(st.st_mode)) return regular(found.get(), st, to_dir, to, shown);
        if (S_ISDIR(st.st_mode)) {
            Fd source = TRY(open_at(found.get(), ".", O_RDONLY | O_DIRECTORY));
            return directory(source.get(), st, to_dir, to, shown, depth);
        }
        if (S_ISLNK(st.st_mode)) {
            TRY(symlink(from_dir, from, to_dir, to));
            return apply(to_dir, to, st);
        }
        if (S_ISFIFO(st.st_mode)) {
            if (mkfifoat(to_dir, to, 0600) < 0) return os_error(errno, "making a FIFO");
            return apply(to_dir, to, st);
        }
        // A socket is nothing without its process, and a device node would be a way out of the fence.
        warn(cat("not copied: ", quoted(shown), " is a ", S_ISSOCK(st.st_mode) ? "socket" : "device"));
        return {};
    };
    Result<> result = inner();
    // The innermost name is enough: the outer ones are in it.
    if (!result && result.error().text.find('\'') == std::string::npos) result.error().within(quoted(shown));
    return result;
}

// A path's directory and last name: "/a/b/" is "/a" and "b"; "/" is "/" and ".".
struct Split {
    std::string directory, name;
};
Split split_path(std::string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    size_t slash = path.rfind('/');
    if (slash == path.npos) return {".", path};
    return {slash == 0 ? "/" : path.substr(0, slash),
            slash + 1 == path.size() ? "." : path.substr(slash + 1)};
}

struct Ends {
    Fd root;  // the guest's
    Direction direction;
    Result<Fd> open(bool inside, const std::string& path, int flags) const {
        if (inside) return open_in_root(root.get(), path.c_str(), flags);
        return open_at(AT_FDCWD, path.c_str(), flags);
    }
};

Result<> copy_between(const Ends& ends, const GuestIds& ids, const std::string& source,
                      const std::string& target) {
    bool in = ends.direction == Direction::in;
    Split from = split_path(source);
    Fd from_dir = TRY(ends.open(!in, from.directory, O_RDONLY | O_DIRECTORY));
    if (!exists_at(from_dir.get(), from.name.c_str()))
        return error(Errc::not_found, cat("there is no ", quoted(source), in ? " on this host" : " inside"));
    // As cp -a: into a directory that is there, or as the name that is given.
    Split to = split_path(target);
    auto into = ends.open(in, target, O_RDONLY | O_DIRECTORY);
    if (into && from.name != ".") to.name = from.name;
    if (into && from.name == ".") to.name = ".";
    if (!into && target.ends_with('/'))
        return error(Errc::not_found,
                     cat("there is no directory ", quoted(target), in ? " inside" : " on this host"));
    Fd to_dir = into ? std::move(*into) : TRY(ends.open(in, to.directory, O_RDONLY | O_DIRECTORY));
    Copier copier(ids, ends.direction);
    copier.top = to_dir.get();
    return copier.entry(from_dir.get(), from.name.c_str(), to_dir.get(), to.name.c_str(), to.name, 0);
}

// A user's machine lives in a user namespace of the user's; only in there are its files ours to make.
Result<> in_user_namespace(const ProcessId& leader, const std::function<Result<>()>& work) {
    int answer[2];
    if (pipe2(answer, O_CLOEXEC) < 0) return os_error(errno, "making a pipe");
    Fd read_end(answer[0]), write_end(answer[1]);
    Fd pidfd = TRY(open_process(leader));
    pid_t child = fork();
    if (child < 0) return os_error(errno, "starting a process");
    if (child == 0) {
        Result<> result;
        if (setns(pidfd.get(), CLONE_NEWUSER) < 0)
            result = os_error(errno, "joining the machine's user namespace");
        if (result) result = work();
        if (!result) (void)write_all(answer[1], result.error().text);
        _exit(result ? 0 : 1);
    }
    write_end.reset();
    std::string text = TRY(read_all(read_end.get()));
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return error(Errc::failed, text.empty() ? "the copy was killed" : text);
    return {};
}

}  // namespace

Result<> copy(const Paths& paths, std::string_view name, Direction direction, const std::string& source,
              const std::string& target) {
    Machine machine = TRY(find_for(paths, name, "cp"));
    const std::string& inside = direction == Direction::in ? target : source;
    if (!inside.starts_with('/'))
        return error(Errc::invalid, cat(quoted(inside), " is no absolute path inside the machine"));
    auto work = [&]() -> Result<> {
        Ends ends = {TRY(open_root(machine.record.leader)), direction};
        GuestIds ids = TRY(read_guest_ids(machine.record.leader.pid));
        // Seen from within the user's namespace, its ids are what they are.
        if (!paths.system)
            for (auto* maps : {&ids.uids, &ids.gids})
                for (GuestIds::Map& map : *maps) map.outside = map.inside;
        if (direction == Direction::out || !paths.system) return copy_between(ends, ids, source, target);
        ActAs inside_root(ids);
        return copy_between(ends, ids, source, target);
    };
    return (paths.system ? work() : in_user_namespace(machine.record.leader, work))
        .within(
            cat("copying ", quoted(source),
                direction == Direction::in ? cat(" into ", quoted(name)) : cat(" out of ", quoted(name))));
}

}  // namespace croft::manager
