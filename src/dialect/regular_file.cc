#include "dialect/regular_file.h"

#include <dirent.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "base/fd.h"
#include "base/scope.h"
#include "base/text.h"

namespace croft::dialect {

namespace {
bool null_device(const struct stat& st) {
    return S_ISCHR(st.st_mode) && major(st.st_rdev) == 1 && minor(st.st_rdev) == 3;
}
bool absent(const Error& error) {
    return error.err == ENOENT || error.err == ENOTDIR;
}
}  // namespace

Result<std::string> read_regular(const std::string& path, size_t limit) {
    Fd fd = TRY(open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY));
    struct stat st = {};
    if (fstat(fd.get(), &st) < 0) return os_error(errno, cat("reading '", path, "'"));
    if (null_device(st)) return std::string();
    if (!S_ISREG(st.st_mode)) return error(Errc::invalid, cat("'", path, "' is no regular file"));
    return read_all(fd.get(), limit).within(cat("'", path, "'"));
}

Result<std::optional<std::string>> read_if_there(const std::string& path) {
    auto text = read_regular(path);
    if (text) return std::optional(std::move(*text));
    if (absent(text.error())) return std::optional<std::string>();
    return std::move(text).error();
}

Result<bool> is_masked(const std::string& path) {
    struct stat st = {};
    if (stat(path.c_str(), &st) < 0) return os_error(errno, cat("reading '", path, "'"));
    return null_device(st);
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
    std::vector<std::string> names;
    auto fd = open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
    if (!fd && absent(fd.error())) return names;
    if (!fd) return std::move(fd).error();
    DIR* directory = fdopendir(fd->get());
    if (!directory) return os_error(errno, cat("reading directory '", path, "'"));
    fd->release();
    OnExit close([&] { closedir(directory); });
    errno = 0;
    while (const dirent* entry = readdir(directory)) names.emplace_back(entry->d_name);
    if (errno) return os_error(errno, cat("reading directory '", path, "'"));
    return names;
}

}  // namespace croft::dialect
