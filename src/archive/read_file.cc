#include "archive/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "archive/acl.h"
#include "archive/metadata.h"
#include "base/text.h"

namespace croft::archive {

namespace {

constexpr size_t largest_attribute = 64 << 10;  // XATTR_SIZE_MAX
constexpr int64_t enough_holes = 1 << 20;
constexpr std::string_view acl_prefix = "system.posix_acl_";

Result<std::string> attribute(int fd, const char* name) {
    std::string value(largest_attribute, '\0');
    ssize_t n = fgetxattr(fd, name, value.data(), value.size());
    if (n < 0 && (errno == ENODATA || errno == ENOTSUP)) return std::string();
    if (n < 0) return os_error(errno, cat("reading its attribute ", quoted(name)));
    value.resize(static_cast<size_t>(n));
    return value;
}

// With zeros between; empty where there is none, which is almost everywhere.
Result<std::string> attribute_names(int fd) {
    ssize_t n = flistxattr(fd, nullptr, 0);
    if (n == 0 || (n < 0 && errno == ENOTSUP)) return std::string();
    std::string names(largest_attribute, '\0');
    if (n > 0) n = flistxattr(fd, names.data(), names.size());
    if (n < 0) return os_error(errno, "reading the names of its attributes");
    names.resize(static_cast<size_t>(n));
    return names;
}

}  // namespace

bool describe(const struct stat& file, Entry& entry) {
    switch (file.st_mode & S_IFMT) {
        case S_IFREG:
            entry.type = EntryType::file;
            entry.size = entry.stored = static_cast<uint64_t>(file.st_size);
            break;
        case S_IFDIR:
            entry.type = EntryType::directory;
            break;
        case S_IFLNK:
            entry.type = EntryType::symlink;
            break;
        case S_IFCHR:
        case S_IFBLK:
            entry.type = S_ISCHR(file.st_mode) ? EntryType::character_device : EntryType::block_device;
            entry.major = major(file.st_rdev);
            entry.minor = minor(file.st_rdev);
            break;
        case S_IFIFO:
            entry.type = EntryType::fifo;
            break;
        default:
            return false;
    }
    entry.mode = file.st_mode & 07777;
    entry.uid = file.st_uid;
    entry.gid = file.st_gid;
    entry.mtime = file.st_mtim.tv_sec;
    entry.mtime_nsec = static_cast<uint32_t>(file.st_mtim.tv_nsec);
    return true;
}

Result<> read_attributes(int fd, Entry& entry) {
    std::string names = TRY(attribute_names(fd));
    for (std::string_view rest = names; !rest.empty();) {
        std::string name(rest.substr(0, rest.find('\0')));
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
        bool acl = name.starts_with(acl_prefix);
        if (!acl && !is_archived_attribute(name)) continue;
        std::string value = TRY(attribute(fd, name.c_str()));
        if (acl)
            (name.ends_with("access") ? entry.access_acl : entry.default_acl) = TRY(acl_to_text(value));
        else
            entry.attributes.emplace_back(std::move(name), std::move(value));
    }
    std::sort(entry.attributes.begin(), entry.attributes.end());
    return {};
}

Result<OverlayMarks> read_overlay_marks(int fd) {
    OverlayMarks marks;
    for (const char* prefix : {"trusted.overlay.", "user.overlay."}) {
        std::string opaque = TRY(attribute(fd, cat(prefix, "opaque").c_str()));
        std::string redirect = TRY(attribute(fd, cat(prefix, "redirect").c_str()));
        marks.opaque = marks.opaque || opaque == "y";
        marks.redirected = marks.redirected || !redirect.empty();
    }
    return marks;
}

Result<> find_segments(int fd, const struct stat& file, Entry& entry) {
    if (file.st_size - file.st_blocks * 512 < enough_holes) return {};
    entry.sparse = true;
    entry.stored = 0;
    for (off_t at = 0; at < file.st_size;) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;  // nothing but a hole is left
        off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
        if (hole < 0) return os_error(errno, "looking for its holes");
        hole = std::min<off_t>(hole, file.st_size);
        entry.segments.push_back({static_cast<uint64_t>(data), static_cast<uint64_t>(hole - data)});
        entry.stored += static_cast<uint64_t>(hole - data);
        at = hole;
    }
    // GNU tar takes the end of the last part for the file's end, so it has one there.
    auto size = static_cast<uint64_t>(file.st_size);
    if (entry.segments.empty() || entry.segments.back().offset + entry.segments.back().length < size)
        entry.segments.push_back({size, 0});
    return {};
}

}  // namespace croft::archive
