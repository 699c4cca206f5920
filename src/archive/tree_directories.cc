#include "archive/tree_directories.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/names.h"
#include "archive/tree_files.h"
#include "base/remove_tree.h"
#include "base/text.h"

namespace croft::archive {

namespace {

// Kept open because entries of one directory follow each other; and at all, in tasks: far below the usual
// limit of 1024.
constexpr size_t most_kept = 64, most_open = 512;
constexpr mode_t mode_while_writing = 0700, mode_of_implied = 0755;

}  // namespace

TreeDirectories::TreeDirectories(int tree, Shards& shards, Links links, Hooks hooks)
    : tree_(tree), shards_(shards), links_(links), hooks_(std::move(hooks)) {}

Result<DirectoryRef> TreeDirectories::keep_open(const std::string& path, Fd fd, size_t shard) {
    if (open_.size() >= most_kept) open_.clear();
    if (*open_directories_ >= most_open) TRY(shards_.barrier());
    ++*open_directories_;
    auto directory = std::make_shared<Directory>(std::move(fd), path, shard, open_directories_);
    open_.emplace(path, directory);
    return directory;
}

Result<DirectoryRef> TreeDirectories::find(const std::string& path) {
    if (auto kept = open_.find(path); kept != open_.end()) return kept->second;
    Fd fd = TRY(open_directory(tree_, path));
    auto [known, fresh] = known_.try_emplace(path);
    if (fresh) known->second.shard = shards_.least_busy();
    return keep_open(path, std::move(fd), known->second.shard);
}

Result<DirectoryRef> TreeDirectories::open(const std::string& path) {
    if (auto kept = open_.find(path); kept != open_.end()) return kept->second;
    if (path.empty() || knows(path)) return find(path);
    return make(path, true);
}

// Frees the name of a directory to be, which something that is none has.
Result<> TreeDirectories::clear_place(const Directory& parent, const std::string& path, bool implied) {
    std::string name(last_of(path));
    struct stat found;
    if (fstatat(parent.fd.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
        return os_error(errno, "looking at what has its name");
    bool whiteout = S_ISCHR(found.st_mode) && found.st_rdev == 0;
    if (implied && !whiteout && links_ == Links::refuse)
        return error(Errc::invalid, cat("its path goes through ", shown(path), ", which is ",
                                        S_ISLNK(found.st_mode) ? "a symbolic link" : "no directory",
                                        ": nothing is written through what an archive made itself"));
    if (whiteout)
        hooks_.opaque(path);
    else
        TRY(hooks_.before_replacing(path));
    if (unlinkat(parent.fd.get(), name.c_str(), 0) != 0)
        return os_error(errno, "replacing an earlier entry of the name");
    return {};
}

Result<DirectoryRef> TreeDirectories::make(const std::string& path, bool implied) {
    DirectoryRef parent = TRY(open(std::string(parent_of(path))));
    std::string name(last_of(path));
    // What may be there by an earlier entry must be there now: what comes of it must not depend on who is
    // faster.
    if (implied) TRY(shards_.barrier(parent->shard));
    mode_t mode = implied ? mode_of_implied : mode_while_writing;
    while (mkdirat(parent->fd.get(), name.c_str(), mode) != 0) {
        if (errno != EEXIST) return os_error(errno, cat("making the directory ", shown(path)));
        TRY(shards_.barrier(parent->shard));
        if (open_directory_in(parent->fd.get(), name)) break;
        TRY(clear_place(*parent, path, implied));
    }
    Fd fd = TRY(open_directory_in(parent->fd.get(), name));
    auto [known, fresh] = known_.try_emplace(path);
    if (fresh) known->second.shard = shards_.least_busy();
    return keep_open(path, std::move(fd), known->second.shard);
}

Result<> TreeDirectories::add(const std::string& path, Entry entry) {
    if (!path.empty() && !knows(path)) TRY(make(path, false));
    auto [known, fresh] = known_.try_emplace(path);
    if (fresh) known->second.shard = shards_.least_busy();
    known->second.entry = std::make_unique<Entry>(std::move(entry));
    return {};
}

Result<> TreeDirectories::remove(const std::string& path) {
    TRY(shards_.barrier());
    open_.clear();
    Fd parent = TRY(open_directory(tree_, std::string(parent_of(path))));
    std::string below = path + "/";
    std::erase_if(known_,
                  [&](const auto& item) { return item.first == path || item.first.starts_with(below); });
    return remove_tree_at(parent.get(), std::string(last_of(path)).c_str());
}

Result<> TreeDirectories::finish() {
    TRY(shards_.barrier());
    open_.clear();
    size_t turn = 0;
    for (auto& [path, known] : known_) {
        if (!known.entry) continue;
        if (*open_directories_ >= most_open) TRY(shards_.barrier());
        Fd fd = TRY(open_directory(tree_, path));
        ++*open_directories_;
        Task task;
        task.kind = Task::Kind::finish_directory;
        task.directory = std::make_shared<Directory>(std::move(fd), path, 0, open_directories_);
        task.entry = std::move(*known.entry);
        TRY(shards_.push(turn++ % shards_.count(), std::move(task)));
    }
    return shards_.barrier();
}

}  // namespace croft::archive
