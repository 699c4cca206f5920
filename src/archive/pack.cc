#include "archive/pack.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "archive/names.h"
#include "archive/read_file.h"
#include "archive/tar_writer.h"
#include "archive/tree_files.h"
#include "base/text.h"

namespace croft::archive {

namespace {

constexpr size_t piece_size = 256 << 10;

class Packer {
  public:
    Packer(Sink& to, const PackOptions& options) : writer_(to), options_(options), piece_(piece_size) {}
    Result<> directory(const Fd& fd, const std::string& path);
    Result<Packed> finish() {
        TRY(writer_.finish());
        packed_.archive_bytes = writer_.written();
        return packed_;
    }

  private:
    Result<> child(const Fd& parent, const std::string& name, const std::string& path);
    Result<> directory_itself(const Fd& fd, const std::string& path);
    Result<> directory_marks(const Fd& fd, const std::string& path);
    Result<> file(const Fd& parent, const std::string& name, const struct stat& seen, Entry entry);
    Result<> file_content(int fd, const Entry& entry);
    Result<> mark(std::string path);
    Result<> put(Entry& entry);
    Result<> stretch(int fd, Segment segment);
    bool is_left_out(const std::string& path) const;

    TarWriter writer_;
    const PackOptions& options_;
    std::vector<std::byte> piece_;
    std::map<std::pair<dev_t, ino_t>, std::string> linked_;  // of files with several names: the first
    Packed packed_;
};

Result<uint32_t> map_id(uint32_t id, const std::vector<PackOptions::IdRange>& ranges, std::string_view kind) {
    if (ranges.empty()) return id;
    for (const auto& range : ranges)
        if (id >= range.outside && id - range.outside < range.count)
            return range.inside + (id - range.outside);
    return error(Errc::invalid,
                 cat("it belongs to ", kind, " ", id, ", which is outside of the machine's id range"));
}

Result<std::string> link_target(int directory, const std::string& name) {
    std::string target(PATH_MAX, '\0');
    ssize_t n = readlinkat(directory, name.c_str(), target.data(), target.size());
    if (n < 0) return os_error(errno, "reading the symbolic link");
    target.resize(static_cast<size_t>(n));
    return target;
}

bool Packer::is_left_out(const std::string& path) const {
    return std::find(options_.leave_out.begin(), options_.leave_out.end(), path) != options_.leave_out.end();
}

// Owner and time as the options have them, then into the archive.
Result<> Packer::put(Entry& entry) {
    entry.uid = options_.ownership ? TRY(map_id(entry.uid, options_.uids, "user")) : 0;
    entry.gid = options_.ownership ? TRY(map_id(entry.gid, options_.gids, "group")) : 0;
    if (options_.latest_time && entry.mtime >= *options_.latest_time) {
        entry.mtime = *options_.latest_time;
        entry.mtime_nsec = 0;
    }
    if (options_.whole_seconds) entry.mtime_nsec = 0;
    ++packed_.entries;
    return writer_.header(entry);
}

Result<> Packer::directory_marks(const Fd& fd, const std::string& path) {
    if (options_.marks == UpperMarks::keep) return {};
    OverlayMarks marks = TRY(read_overlay_marks(fd.get()));
    if (marks.redirected)
        return error(
            Errc::unsupported,
            "overlayfs moved this directory here (redirect_dir), which no layer can say: copy it instead");
    return marks.opaque ? mark(cat(path, path.empty() ? "" : "/", ".wh..wh..opq")) : Result<>();
}

Result<> Packer::directory_itself(const Fd& fd, const std::string& path) {
    struct stat seen;
    if (fstat(fd.get(), &seen) != 0) return os_error(errno, "looking at it");
    Entry entry;
    describe(seen, entry);
    entry.path = path.empty() ? "./" : path + "/";
    TRY(read_attributes(fd.get(), entry));
    TRY(put(entry));
    return directory_marks(fd, path);
}

Result<> Packer::directory(const Fd& fd, const std::string& path) {
    TRY(directory_itself(fd, path).within(path.empty() ? "the top of the tree" : shown(path)));
    auto names = TRY(list_directory(fd.get()));
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
        std::string below = path.empty() ? name : cat(path, "/", name);
        if (is_left_out(below)) continue;
        TRY(child(fd, name, below));
    }
    return {};
}

// A whiteout has a name and nothing else: when and by whom the node was made says nothing about the image.
Result<> Packer::mark(std::string path) {
    Entry entry;
    entry.mode = 0600;
    entry.path = std::move(path);
    ++packed_.entries;
    return writer_.header(entry);
}

Result<> Packer::child(const Fd& parent, const std::string& name, const std::string& path) {
    struct stat seen;
    if (fstatat(parent.get(), name.c_str(), &seen, AT_SYMLINK_NOFOLLOW) != 0)
        return os_error(errno, cat("looking at ", shown(path)));
    if (S_ISDIR(seen.st_mode)) {
        Fd fd = TRY(open_directory_in(parent.get(), name));
        return directory(fd, path);
    }
    if (options_.marks == UpperMarks::whiteouts && S_ISCHR(seen.st_mode) && seen.st_rdev == 0)
        return mark(cat(parent_of(path), parent_of(path).empty() ? "" : "/", ".wh.", last_of(path)));
    Entry entry;
    entry.path = path;
    if (!describe(seen, entry)) {
        ++packed_.sockets_left;
        return {};
    }
    if (seen.st_nlink > 1) {
        auto [first, fresh] = linked_.try_emplace({seen.st_dev, seen.st_ino}, path);
        if (!fresh) {
            entry.type = EntryType::hardlink;
            entry.link = first->second;
            entry.size = entry.stored = 0;
            return put(entry);
        }
    }
    if (entry.type == EntryType::symlink) entry.link = TRY(link_target(parent.get(), name));
    auto done = entry.type == EntryType::file ? file(parent, name, seen, std::move(entry)) : put(entry);
    return std::move(done).within(shown(path));
}

Result<> Packer::file(const Fd& parent, const std::string& name, const struct stat& seen, Entry entry) {
    Fd fd = TRY(open_at(parent.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    struct stat opened;
    if (fstat(fd.get(), &opened) != 0) return os_error(errno, "looking at it");
    if (opened.st_ino != seen.st_ino || opened.st_dev != seen.st_dev || !S_ISREG(opened.st_mode))
        return error(Errc::busy,
                     "it was replaced while it was packed: stop what writes there, and try again");
    describe(opened, entry);
    TRY(read_attributes(fd.get(), entry));
    TRY(find_segments(fd.get(), opened, entry));
    TRY(put(entry));
    return file_content(fd.get(), entry);
}

Result<> Packer::file_content(int fd, const Entry& entry) {
    if (entry.sparse)
        for (const Segment& segment : entry.segments) TRY(stretch(fd, segment));
    else
        TRY(stretch(fd, {0, entry.size}));
    return writer_.end_content();
}

Result<> Packer::stretch(int fd, Segment segment) {
    return read_stretch(fd, segment, piece_,
                        [&](std::span<const std::byte> part) { return writer_.content(part); });
}

}  // namespace

Result<Packed> pack(int tree, Sink& to, const PackOptions& options) {
    Packer packer(to, options);
    Fd top = TRY(open_directory(tree, ""));
    TRY(packer.directory(top, "").within("packing"));
    return packer.finish();
}

}  // namespace croft::archive
