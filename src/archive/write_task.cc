#include "archive/write_task.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "archive/names.h"
#include "archive/tree_files.h"
#include "base/text.h"

namespace croft::archive {

namespace {

// Makes something by `make`; what has the name is removed first. A directory in its place is one that came
// later in the archive (the writer removes earlier ones before): then there is nothing to do, and the result
// is false.
template <class Make>
Result<bool> replace(int directory, const std::string& name, std::string_view doing, Make make) {
    while (make() != 0) {
        if (errno != EEXIST) return os_error(errno, doing);
        if (unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) continue;
        if (errno == EISDIR) return false;
        return os_error(errno, "replacing an earlier entry of the name");
    }
    return true;
}

Error link_error(int err, const Task& task) {
    std::string target =
        shown(cat(task.link_directory->path, task.link_directory->path.empty() ? "" : "/", task.link_name));
    if (err == ENOENT)
        return error(Errc::invalid,
                     cat("it is a hard link to ", target, ", which the archive has not before it"));
    if (err == EPERM)
        return error(Errc::invalid, cat("it is a hard link to ", target, ", which is a directory"));
    if (err == EMLINK)
        return error(Errc::unsupported, cat("this file system allows no more hard links to ", target));
    return os_error(err, cat("linking it to ", target));
}

mode_t node_type(EntryType type) {
    return type == EntryType::character_device ? S_IFCHR
           : type == EntryType::block_device   ? S_IFBLK
                                               : S_IFIFO;
}

}  // namespace

Result<> TaskRunner::run(Task& task) {
    auto done = perform(task);
    if (done) return {};
    const std::string& directory = task.directory->path;
    bool itself = task.kind == Task::Kind::finish_directory;
    std::string path = itself ? directory : cat(directory, directory.empty() ? "" : "/", task.name);
    return std::move(done.error()).within(cat("entry ", shown(path)));
}

Result<> TaskRunner::perform(Task& task) {
    switch (task.kind) {
        case Task::Kind::create:
            return create(task);
        case Task::Kind::data:
            return write(task);
        case Task::Kind::whiteout:
            return whiteout(task);
        case Task::Kind::finish_directory:
            return set_metadata(task.directory->fd.get(), task.entry, state_.rules);
    }
    return {};
}

Result<> TaskRunner::create(Task& task) {
    int at = task.directory->fd.get();
    const char* name = task.name.c_str();
    const Entry& entry = task.entry;
    switch (entry.type) {
        case EntryType::file:
            return create_file(task);
        case EntryType::hardlink: {
            shards_.wait_done(task.after_shard, task.after_count);
            int from = task.link_directory->fd.get();
            if (from == at && task.link_name == task.name) return {};
            auto made = replace(at, task.name, "linking",
                                [&] { return linkat(from, task.link_name.c_str(), at, name, 0); });
            if (!made) return link_error(made.error().err, task);
            return {};
        }
        case EntryType::symlink:
            if (!TRY(replace(at, task.name, "making the symbolic link",
                             [&] { return symlinkat(entry.link.c_str(), at, name); })))
                return {};
            break;
        default:
            if (!TRY(make_node(task))) return {};
    }
    return set_metadata_at(at, name, entry, state_.rules);
}

Result<bool> TaskRunner::make_node(const Task& task) {
    const Entry& entry = task.entry;
    mode_t mode = node_type(entry.type) | mode_of(entry, state_.rules);
    auto made = replace(task.directory->fd.get(), task.name, "making the device node or FIFO", [&] {
        return mknodat(task.directory->fd.get(), task.name.c_str(), mode, makedev(entry.major, entry.minor));
    });
    if (!made && made.error().err == EPERM && entry.type != EntryType::fifo)
        return error(Errc::denied, "only root of the host may make device nodes: leave them out");
    return made;
}

Result<> TaskRunner::create_file(Task& task) {
    int at = task.directory->fd.get();
    mode_t mode = mode_of(task.entry, state_.rules) & 0777;
    bool made = TRY(replace(at, task.name, "making the file", [&] {
        file_ = Fd(openat(at, task.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
        return file_ ? 0 : -1;
    }));
    if (!made) file_.reset();
    entry_ = std::move(task.entry);
    return write(task);
}

Result<> TaskRunner::write(const Task& task) {
    if (!file_) return {};
    auto bytes = task.slice.bytes;
    uint64_t offset = task.offset;
    state_.bytes += bytes.size();
    while (!bytes.empty()) {
        ssize_t n = pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error(errno, "writing it");
        bytes = bytes.subspan(static_cast<size_t>(n));
        offset += static_cast<uint64_t>(n);
    }
    return task.last ? close_file() : Result<>();
}

Result<> TaskRunner::close_file() {
    // The last hole of a sparse file has no content behind it.
    if (entry_.sparse && ftruncate(file_.get(), static_cast<off_t>(entry_.size)) != 0)
        return os_error(errno, cat("making it ", entry_.size, " bytes long"));
    TRY(set_metadata(file_.get(), entry_, state_.rules));
    file_.reset();
    return {};
}

// Something of this layer that has the name wins: only if it is a directory it must not show what is below.
Result<> TaskRunner::whiteout(const Task& task) {
    int at = task.directory->fd.get();
    if (mknodat(at, task.name.c_str(), S_IFCHR, 0) == 0) return {};
    if (errno != EEXIST) return os_error(errno, "making a whiteout");
    struct stat found;
    if (fstatat(at, task.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
        return os_error(errno, "making a whiteout");
    if (!S_ISDIR(found.st_mode)) return {};
    std::lock_guard lock(state_.mutex);
    const std::string& directory = task.directory->path;
    state_.opaque.push_back(cat(directory, directory.empty() ? "" : "/", task.name));
    return {};
}

}  // namespace croft::archive
