#include "base/remove_tree.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "base/scope.h"
#include "base/text.h"

namespace croft {
namespace {

constexpr int deepest = 512;  // a guest can nest deeper than our stack and descriptors reach

Result<> remove_at_depth(int dir, const char* name, int depth, dev_t device);

Result<> empty_at_depth(int dir, const char* keep, int depth, dev_t device) {
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* stream = copy < 0 ? nullptr : fdopendir(copy);
    if (!stream) return os_error(errno, "reading a directory to be removed");
    OnExit close_stream([&] { closedir(stream); });
    while (dirent* entry = readdir(stream)) {
        const char* name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..") || (keep && !strcmp(name, keep))) continue;
        if (entry->d_type != DT_DIR && unlinkat(dir, name, 0) == 0) continue;
        TRY(remove_at_depth(dir, name, depth, device));
    }
    return {};
}

Result<> remove_at_depth(int dir, const char* name, int depth, dev_t device) {
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return os_error(errno, cat("removing '", name, "'"));
    if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    if (errno != ENOTEMPTY && errno != EEXIST) return os_error(errno, cat("removing '", name, "'"));
    if (depth >= deepest) return error(Errc::failed, cat("'", name, "' is nested too deeply to be removed"));
    // Overlayfs leaves its work directory with mode 000; who is not root needs the owner's bits first.
    if (geteuid() != 0) (void)!fchmodat(dir, name, 0700, 0);
    auto opened = open_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!opened && opened.error().err == ENOENT) return {};  // another one empties the same
    Fd inner = TRY(std::move(opened));
    struct stat st = {};
    if (fstat(inner.get(), &st) < 0) return os_error(errno, cat("looking at '", name, "'"));
    if (depth > 0 && st.st_dev != device)
        return error(Errc::busy, cat("'", name, "' is a mount point; unmount it first"));
    TRY(empty_at_depth(inner.get(), nullptr, depth + 1, st.st_dev));
    if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return os_error(errno, cat("removing '", name, "'"));
    return {};
}

}  // namespace

Result<> remove_tree_at(int dir, const char* name) {
    return remove_at_depth(dir, name, 0, 0);
}

Result<> empty_directory(int dir, const char* keep) {
    struct stat st = {};
    if (fstat(dir, &st) < 0) return os_error(errno, "looking at a directory");
    return empty_at_depth(dir, keep, 1, st.st_dev);
}

}  // namespace croft
