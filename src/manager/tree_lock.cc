#include "manager/tree_lock.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "manager/machines.h"

namespace croft::manager {
namespace {

// The machine's name is looked up only now that there is something to refuse.
Error in_use(const Paths& paths, const std::string& tree, LockKind kind) {
    std::string holder;
    if (auto all = list(paths))
        for (const Machine& machine : *all)
            if (machine.alive() && machine.record.tree == tree &&
                (kind == LockKind::exclusive || !machine.record.tree_read_only))
                holder = machine.name;
    std::string who = holder.empty() ? "another machine" : cat("machine ", quoted(holder));
    if (kind == LockKind::shared)
        return error(Errc::busy,
                     cat("the tree ", quoted(tree), " is in use read-write by ", who, "; stop it first"));
    return error(Errc::busy, cat("the tree ", quoted(tree), " is in use by ", who,
                                 "; stop it first, or run on a throwaway copy of a tree that nobody writes "
                                 "(--ephemeral, or --read-only)"));
}

Error in_use_by_nspawn(const std::string& tree) {
    return error(Errc::busy, cat("the tree ", quoted(tree),
                                 " is in use by systemd-nspawn or machinectl; stop that container first "
                                 "(machinectl list)"));
}

Result<> lock_for_nspawn(const std::string& tree, const struct stat& st, LockKind kind, TreeLock& out) {
    // The directory is nspawn's: made as nspawn makes it, and only where there is a /run/systemd at all.
    mkdir("/run/systemd/nspawn", 0755);
    if (mkdir("/run/systemd/nspawn/locks", 0700) < 0 && errno != EEXIST) return {};
    std::string global = cat("/run/systemd/nspawn/locks/inode-", st.st_dev, ":", st.st_ino);
    auto lock = try_lock(AT_FDCWD, global.c_str(), kind);
    if (!lock) return {};  // not ours to insist on
    if (!*lock) return in_use_by_nspawn(tree);
    out.locks.push_back(std::move(**lock));
    out.paths.push_back(std::move(global));
    return {};
}

// Beside the tree: held by nspawn while it runs. Honoured where it is; never made, because the place is not
// ours.
Result<> lock_beside(const std::string& tree, LockKind kind, TreeLock& out) {
    size_t slash = tree.rfind('/');
    std::string path = cat(tree.substr(0, slash), "/.#", tree.substr(slash + 1), ".lck");
    Fd file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY));
    if (!file) return {};
    if (!lock_fd(file.get(), kind)) return in_use_by_nspawn(tree);
    out.locks.push_back(std::move(file));
    return {};
}

}  // namespace

Result<TreeLock> lock_tree(const Paths& paths, const std::string& tree, int root, LockKind kind) {
    struct stat st = {};
    if (fstat(root, &st) < 0) return os_error(errno, cat("looking at ", quoted(tree)));
    std::string directory = paths.run + "/trees";
    if (mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST)
        return os_error(errno, cat("making ", quoted(directory)));
    TreeLock out;
    std::string path = cat(directory, "/inode-", st.st_dev, ":", st.st_ino);
    auto own = TRY(try_lock(AT_FDCWD, path.c_str(), kind));
    if (!own) return in_use(paths, tree, kind);
    out.locks.push_back(std::move(*own));
    out.paths.push_back(std::move(path));
    Result<> rest = paths.system ? lock_for_nspawn(tree, st, kind, out) : Result<>();
    if (rest) rest = lock_beside(tree, kind, out);
    if (!rest) {
        unlock_tree(std::move(out));
        return std::move(rest).error();
    }
    return out;
}

void unlock_tree(TreeLock lock) {
    for (size_t i = 0; i < lock.paths.size() && i < lock.locks.size(); ++i)
        remove_lock_file(lock.paths[i], std::move(lock.locks[i]));
}

}  // namespace croft::manager
