#include "archive/metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "archive/acl.h"
#include "base/text.h"

namespace croft::archive {

namespace {

constexpr mode_t special_bits = S_ISUID | S_ISGID | S_ISVTX;
constexpr const char *access_attribute = "system.posix_acl_access",
                     *default_attribute = "system.posix_acl_default";

bool may_set(std::string_view name) {
    return is_archived_attribute(name) || name == access_attribute || name == default_attribute;
}

Error owner_error(int err, const Entry& entry) {
    if (err == EINVAL)
        return error(
            Errc::denied,
            cat("it belongs to user ", entry.uid, " and group ", entry.gid,
                ", which this user namespace has no id for: give yourself more ids in /etc/subuid and "
                "/etc/subgid"));
    return os_error(err, cat("giving it to user ", entry.uid, " and group ", entry.gid));
}

bool must_chown(const Entry& entry, const MetadataRules& rules) {
    return rules.ownership && (!rules.fresh || entry.uid != rules.user || entry.gid != rules.group);
}

Result<> set_attribute(int fd, const std::string& name, const std::string& value,
                       const MetadataRules& rules) {
    if (!may_set(name)) {
        ++*rules.left;
        return {};
    }
    if (fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) == 0) return {};
    // Not for this file system, not from this namespace, an ACL of ids without a mapping, or more than it has
    // room for.
    bool cannot = errno == ENOTSUP || errno == EPERM || errno == ERANGE || errno == E2BIG || errno == EINVAL;
    if (!cannot) return os_error(errno, cat("setting its attribute ", quoted(name)));
    ++*rules.left;
    return {};
}

Result<> set_acl(int fd, const char* attribute, const std::string& text, const MetadataRules& rules) {
    if (text.empty()) return {};
    uint64_t left = 0;
    std::string value = TRY(acl_from_text(text, left));
    *rules.left += left;
    return value.empty() ? Result<>() : set_attribute(fd, attribute, value, rules);
}

// The kernel keeps what its file system can hold; nanoseconds are in range by the reader.
void fill_times(const Entry& entry, timespec (&times)[2]) {
    times[0] = times[1] = {.tv_sec = entry.mtime, .tv_nsec = static_cast<long>(entry.mtime_nsec)};
}

}  // namespace

bool is_archived_attribute(std::string_view name) {
    return (name.starts_with("user.") && !name.starts_with("user.overlay.")) || name == "security.capability";
}

mode_t mode_of(const Entry& entry, const MetadataRules& rules) {
    return entry.mode & (rules.ownership ? 07777 : 0777);
}

Result<> set_metadata(int fd, const Entry& entry, const MetadataRules& rules) {
    bool chowned = must_chown(entry, rules);
    if (chowned && fchown(fd, entry.uid, entry.gid) != 0) return owner_error(errno, entry);
    mode_t mode = mode_of(entry, rules);
    // A change of owner takes set-user-id away; a directory was made closed.
    bool chmod = mode & special_bits || entry.type == EntryType::directory || !rules.fresh;
    if (chmod && fchmod(fd, mode) != 0) return os_error(errno, "setting its mode");
    for (const auto& [name, value] : entry.attributes) TRY(set_attribute(fd, name, value, rules));
    TRY(set_acl(fd, access_attribute, entry.access_acl, rules));
    if (entry.type == EntryType::directory) TRY(set_acl(fd, default_attribute, entry.default_acl, rules));
    timespec times[2];
    fill_times(entry, times);
    if (futimens(fd, times) != 0) return os_error(errno, "setting its time");
    return {};
}

Result<> set_metadata_at(int directory, const char* name, const Entry& entry, const MetadataRules& rules) {
    if (must_chown(entry, rules) && fchownat(directory, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0)
        return owner_error(errno, entry);
    // Symbolic links have no attributes of users, nor have devices and FIFOs.
    *rules.left += entry.attributes.size();
    timespec times[2];
    fill_times(entry, times);
    if (utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW) != 0)
        return os_error(errno, "setting its time");
    return {};
}

}  // namespace croft::archive
