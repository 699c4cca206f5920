#include "manager/copy_file.h"

#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace croft::manager {
namespace {

constexpr off_t piece = 8 << 20;

Result<> copy_plainly(int from, int to, off_t start, off_t end, const CopyWatch& watch) {
    char buffer[65536];
    while (start < end) {
        size_t wanted = static_cast<size_t>(std::min<off_t>(end - start, sizeof buffer));
        ssize_t n = pread(from, buffer, wanted, start);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error(errno, "reading");
        if (n == 0) return {};  // it became shorter meanwhile
        if (lseek(to, start, SEEK_SET) < 0) return os_error(errno, "seeking");
        TRY(write_all(to, {buffer, static_cast<size_t>(n)}));
        start += n;
        if (watch) TRY(watch(static_cast<uint64_t>(n)));
    }
    return {};
}

// In the kernel where it can (a reflink on btrfs and xfs), by hand where it cannot.
Result<> copy_range(int from, int to, off_t start, off_t end, const CopyWatch& watch) {
    while (start < end) {
        off_t in = start, out = start;
        ssize_t n = copy_file_range(from, &in, to, &out, static_cast<size_t>(std::min(end - start, piece)), 0);
        if (n < 0 && errno == EINTR) continue;
        // Across file systems, from special ones, or on an old kernel. 0 is what proc and sysfs answer.
        if (n <= 0) return copy_plainly(from, to, start, end, watch);
        start += n;
        if (watch) TRY(watch(static_cast<uint64_t>(n)));
    }
    return {};
}

}  // namespace

Result<> copy_content(int from, int to, off_t size, const CopyWatch& watch) {
    off_t at = 0;
    while (at < size) {
        off_t data = lseek(from, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;  // only a hole follows
        if (data < 0) data = at;                // a file system that knows no holes
        off_t hole = lseek(from, data, SEEK_HOLE);
        if (hole < 0) hole = size;
        TRY(copy_range(from, to, data, std::min(hole, size), watch));
        at = hole;
    }
    if (ftruncate(to, size) < 0) return os_error(errno, "setting the size");
    return {};
}

void copy_user_attributes(int from, int to) {
    char names[65536], value[65536];
    ssize_t size = flistxattr(from, names, sizeof names);
    for (ssize_t at = 0; at < size;) {
        std::string_view name = names + at;
        at += static_cast<ssize_t>(name.size()) + 1;
        if (!name.starts_with("user.")) continue;
        ssize_t n = fgetxattr(from, name.data(), value, sizeof value);
        if (n >= 0) (void)fsetxattr(to, name.data(), value, static_cast<size_t>(n), 0);
    }
}

}  // namespace croft::manager
