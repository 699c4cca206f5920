#include "archive/tree_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

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

Result<> remove_all(int directory, const std::string& name) {
    if (unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return os_error(errno, cat("removing ", shown(name)));
    Fd inner = TRY(open_directory_in(directory, name));
    auto names = TRY(list_directory(inner.get()));
    for (const std::string& below : names) TRY(remove_all(inner.get(), below));
    if (unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
        return os_error(errno, cat("removing the directory ", shown(name)));
    return {};
}

}  // namespace croft::archive
