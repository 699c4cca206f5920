#include "base/lock_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace croft {
namespace {

struct flock whole_file(short type) {
    struct flock lock = {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

}  // namespace

bool lock_fd(int fd, LockKind kind) {
    struct flock lock = whole_file(kind == LockKind::exclusive ? F_WRLCK : F_RDLCK);
    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool is_locked(int fd) {
    struct flock lock = whole_file(F_RDLCK);
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

namespace {

Result<Fd> open_lock_file(int dir, const char* path) {
    Fd file(openat(dir, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600));
    if (!file) return os_error(errno, cat("opening the lock file '", path, "'"));
    return file;
}

// Whoever held it before may have removed the file on the way out: then a lock is on nothing.
bool is_there(int fd) {
    struct stat st = {};
    return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

}  // namespace

Result<Fd> wait_for_lock(int dir, const char* path, LockKind kind) {
    struct flock lock = whole_file(kind == LockKind::exclusive ? F_WRLCK : F_RDLCK);
    for (;;) {
        Fd file = TRY(open_lock_file(dir, path));
        while (fcntl(file.get(), F_OFD_SETLKW, &lock) < 0)
            if (errno != EINTR) return os_error(errno, cat("locking '", path, "'"));
        if (is_there(file.get())) return file;
    }
}

Result<std::optional<Fd>> try_lock(int dir, const char* path, LockKind kind) {
    int waits = 0;
    for (int tries = 0; tries < 100; ++tries) {
        Fd file = TRY(open_lock_file(dir, path));
        if (!lock_fd(file.get(), kind)) {
            if (errno != EAGAIN && errno != EACCES) return os_error(errno, cat("locking '", path, "'"));
            // One who shares it and ends has it alone for the moment in which the file is removed.
            if (++waits > 10) return std::optional<Fd>();
            timespec moment = {0, 1'000'000};
            nanosleep(&moment, nullptr);
            continue;
        }
        if (is_there(file.get())) return std::optional<Fd>(std::move(file));
    }
    return error(Errc::busy, cat("the lock file '", path, "' comes and goes; try again"));
}

void remove_lock_file(const std::string& path, Fd own) {
    if (!own) own = Fd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    // With a shared lock of our own this is an upgrade, which fails while others share it.
    if (own && lock_fd(own.get(), LockKind::exclusive)) unlink(path.c_str());
}

}  // namespace croft
