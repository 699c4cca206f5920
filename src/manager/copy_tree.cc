#include "manager/copy_tree.h"

#include <dirent.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "base/fd.h"
#include "base/scope.h"
#include "base/text.h"
#include "manager/copy_file.h"

namespace croft::manager {
namespace {

constexpr int deepest = 250;  // each level holds descriptors on both sides

// Of a file that is open with O_PATH or otherwise: by its place in /proc, which never follows a symlink of
// the tree.
std::string by_descriptor(int fd) {
    return cat("/proc/self/fd/", fd);
}

class TreeCopier {
  public:
    TreeCopier(dev_t device, int top, const TreeWatch& watch) : device_(device), top_(top), watch_(watch) {}

    // The entries of an open directory into another one; `shown` is its path below the tree.
    Result<> entries(int from, int to, const std::string& shown, int depth) {
        if (depth >= deepest) return error(Errc::failed, cat(quoted(shown), " is nested too deeply"));
        DIR* stream = fdopendir(openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!stream) return os_error(errno, cat("reading ", quoted(shown)));
        OnExit close_stream([&] { closedir(stream); });
        while (dirent* one = readdir(stream)) {
            if (!strcmp(one->d_name, ".") || !strcmp(one->d_name, "..")) continue;
            std::string path = cat(shown, shown.ends_with('/') ? "" : "/", one->d_name);
            ++copied_.entries;
            TRY(tell(0));
            TRY(entry(from, to, one->d_name, path, depth));
        }
        return {};
    }

    // Owner before mode, because chown(2) takes set-user-ID bits away; attributes after the owner, because it
    // takes file capabilities away too; times last.
    Result<> attributes(int from_path, const struct stat& st, int dir, const char* name) {
        if (root_ && fchownat(dir, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
            return os_error(errno, "setting the owner");
        if (!S_ISLNK(st.st_mode)) {
            Fd made = TRY(open_at(dir, name, O_PATH | O_NOFOLLOW));
            if (chmod(by_descriptor(made.get()).c_str(), st.st_mode & 07777) < 0)
                return os_error(errno, "setting the mode");
            TRY(extended(by_descriptor(from_path), by_descriptor(made.get())));
        }
        timespec times[2] = {st.st_atim, st.st_mtim};
        utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
        return {};
    }

  private:
    Result<> tell(uint64_t more) {
        copied_.bytes += more;
        return watch_ ? watch_(copied_) : Result<>();
    }

    Result<> entry(int from, int to, const char* name, const std::string& shown, int depth) {
        auto inner = [&]() -> Result<> {
            Fd found = TRY(open_at(from, name, O_PATH | O_NOFOLLOW));
            struct stat st = {};
            if (fstat(found.get(), &st) < 0) return os_error(errno, "looking at it");
            if (!S_ISDIR(st.st_mode) && TRY(link_known(st, to, name, shown))) return {};
            if (S_ISSOCK(st.st_mode)) return {};  // nothing without its process
            if (!root_ && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))) return {};
            TRY(make(found.get(), st, from, to, name));
            if (S_ISDIR(st.st_mode) && st.st_dev == device_) {
                Fd source = TRY(open_at(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
                Fd target = TRY(open_at(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
                if (Result<> below = entries(source.get(), target.get(), shown, depth + 1); !below)
                    return below;
            }
            return attributes(found.get(), st, to, name);
        };
        Result<> result = inner();
        // The innermost name is enough: the outer ones are in it.
        if (!result && result.error().text.find('\'') == std::string::npos)
            result.error().within(quoted(shown));
        return result;
    }

    Result<> make(int found, const struct stat& st, int from, int to, const char* name) {
        if (S_ISREG(st.st_mode)) return regular(found, st, to, name);
        if (S_ISLNK(st.st_mode)) {
            char target[4097];
            ssize_t n = readlinkat(from, name, target, sizeof target - 1);
            if (n < 0) return os_error(errno, "reading a symlink");
            target[n] = 0;
            if (symlinkat(target, to, name) < 0) return os_error(errno, "making a symlink");
            return {};
        }
        int made = S_ISDIR(st.st_mode) ? mkdirat(to, name, 0700)
                                       : mknodat(to, name, (st.st_mode & S_IFMT) | 0600, st.st_rdev);
        if (made < 0)
            return os_error(errno, S_ISDIR(st.st_mode) ? "making a directory" : "making a special file");
        return {};
    }

    Result<> regular(int found, const struct stat& st, int to, const char* name) {
        Fd source(open(by_descriptor(found).c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC));
        if (!source) return os_error(errno, "reading it");
        Fd target = TRY(open_at(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
        if (ioctl(target.get(), FICLONE, source.get()) == 0) return tell(static_cast<uint64_t>(st.st_size));
        return copy_content(source.get(), target.get(), st.st_size, [this](uint64_t bytes) { return tell(bytes); });
    }

    Result<bool> link_known(const struct stat& st, int to, const char* name, const std::string& shown) {
        if (st.st_nlink < 2) return false;
        auto [known, fresh] = linked_.try_emplace({st.st_dev, st.st_ino}, shown);
        if (fresh) return false;
        Fd first = TRY(open_in_root(top_, known->second.c_str(), O_PATH | O_NOFOLLOW));
        if (linkat(AT_FDCWD, by_descriptor(first.get()).c_str(), to, name, AT_SYMLINK_FOLLOW) < 0)
            return os_error(errno, "making a hard link");
        return true;
    }

    Result<> extended(const std::string& from, const std::string& to) {
        char names[65536], value[65536];
        ssize_t size = listxattr(from.c_str(), names, sizeof names);
        for (ssize_t at = 0; at < size;) {
            const char* name = names + at;
            at += static_cast<ssize_t>(strlen(name)) + 1;
            ssize_t n = getxattr(from.c_str(), name, value, sizeof value);
            if (n < 0 || setxattr(to.c_str(), name, value, static_cast<size_t>(n), 0) == 0) continue;
            // A capability or an access list that is lost would make the copy another system.
            bool matters = std::string_view(name).starts_with("security.capability") ||
                           std::string_view(name).starts_with("system.posix_acl");
            if (matters && root_) return os_error(errno, cat("setting the attribute ", name));
        }
        return {};
    }

    dev_t device_;
    int top_;
    const TreeWatch& watch_;
    Copied copied_;
    const bool root_ = geteuid() == 0;
    std::map<std::pair<dev_t, ino_t>, std::string> linked_;
};

}  // namespace

Result<> copy_tree(const std::string& source, const std::string& target, const TreeWatch& watch) {
    Fd from = TRY(open_at(AT_FDCWD, source.c_str(), O_RDONLY | O_DIRECTORY));
    struct stat st = {};
    if (fstat(from.get(), &st) < 0) return os_error(errno, cat("looking at ", quoted(source)));
    if (mkdir(target.c_str(), 0700) < 0) return os_error(errno, cat("making ", quoted(target)));
    Fd to = TRY(open_at(AT_FDCWD, target.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    TreeCopier copier(st.st_dev, to.get(), watch);
    TRY(copier.entries(from.get(), to.get(), "/", 0));
    return copier.attributes(from.get(), st, AT_FDCWD, target.c_str());
}

}  // namespace croft::manager
