#include "archive/tree_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "archive/names.h"
#include "base/scope.h"
#include "base/text.h"

namespace croft::archive {

namespace {
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
}

Result<Fd> open_directory_in(int directory, const std::string& name) {
    Fd fd(openat(directory, name.c_str(), directory_flags));
    if (!fd) return os_error(errno, cat("opening the directory ", shown(name)));
    return fd;
}

Result<Fd> open_directory(int tree, const std::string& path) {
    if (path.size() >= PATH_MAX) {
        Fd parent = TRY(open_directory(tree, std::string(parent_of(path))));
        return open_directory_in(parent.get(), std::string(last_of(path)));
    }
    open_how how = {};
    how.flags = directory_flags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
    const char* name = path.empty() ? "." : path.c_str();
    long fd;
    do {  // EAGAIN: something was renamed meanwhile
        fd = syscall(SYS_openat2, tree, name, &how, sizeof how);
    } while (fd < 0 && (errno == EAGAIN || errno == EINTR));
    if (fd < 0) return os_error(errno, cat("opening the directory ", shown(path)));
    return Fd(static_cast<int>(fd));
}

Result<std::vector<std::string>> list_directory(int directory) {
    Fd own(openat(directory, ".", directory_flags));
    if (!own) return os_error(errno, "opening a directory");
    DIR* stream = fdopendir(own.get());
    if (!stream) return os_error(errno, "reading a directory");
    own.release();
    OnExit close([&] { closedir(stream); });
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(stream)) {
        std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
        errno = 0;
    }
    if (errno) return os_error(errno, "reading a directory");
    return names;
}

Result<> read_stretch(int file, Segment stretch, std::span<std::byte> room,
                      const std::function<Result<>(std::span<const std::byte>)>& take) {
    while (stretch.length > 0) {
        size_t most = std::min<uint64_t>(room.size(), stretch.length);
        ssize_t n = pread(file, room.data(), most, static_cast<off_t>(stretch.offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error(errno, "reading it");
        if (n == 0)
            return error(Errc::busy, "it became shorter meanwhile: stop what writes there, and try again");
        TRY(take(room.first(static_cast<size_t>(n))));
        stretch.offset += static_cast<uint64_t>(n);
        stretch.length -= static_cast<uint64_t>(n);
    }
    return {};
}

}  // namespace croft::archive
