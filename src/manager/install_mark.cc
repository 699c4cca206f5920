#include "manager/install_mark.h"

#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "base/lock_file.h"

namespace croft::manager {

namespace {
std::string mark_path(const Paths& paths, std::string_view name) {
    return cat(paths.config, "/", name, ".incomplete");
}
}  // namespace

bool is_marked_incomplete(const Paths& paths, std::string_view name) {
    return !paths.config.empty() && exists_at(AT_FDCWD, mark_path(paths, name).c_str());
}

Result<Fd> mark_incomplete(const Paths& paths, std::string_view name, std::string_view target) {
    std::string path = mark_path(paths, name);
    auto lock = TRY(try_lock(AT_FDCWD, path.c_str(), LockKind::exclusive));
    if (!lock) return error(Errc::busy, cat("another command is just making machine ", quoted(name)));
    // Of a copy that was interrupted.
    if (ftruncate(lock->get(), 0) < 0) return os_error(errno, cat("marking ", quoted(path)));
    Result<> written = write_all(lock->get(), cat(target, "\n"));
    if (written && fsync(lock->get()) < 0) written = os_error(errno, "writing");
    if (!written) {
        unlink(path.c_str());
        return std::move(written).error().within(cat("marking ", quoted(path)));
    }
    return std::move(*lock);
}

Result<std::string> interrupted_copy(const Paths& paths, std::string_view name) {
    std::string path = mark_path(paths, name);
    Fd file = TRY(open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    if (is_locked(file.get()))
        return error(Errc::busy, cat("another command is just copying the tree of machine ", quoted(name),
                                     "; wait for it, or interrupt it"));
    return std::string(trim(TRY(read_all(file.get(), 8192).within(path))));
}

void clear_incomplete(const Paths& paths, std::string_view name) {
    unlink(mark_path(paths, name).c_str());
}

}  // namespace croft::manager
