#include "base/fd.h"

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/text.h"

namespace croft {

Fd& Fd::operator=(Fd&& other) noexcept {
    if (this != &other) {
        reset();
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

void Fd::reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
}

Result<Pipe> make_pipe() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0) return os_error(errno, "making a pipe");
    return Pipe{Fd(fds[0]), Fd(fds[1])};
}

Result<Fd> open_at(int dir, const char* path, int flags, mode_t mode) {
    int fd = openat(dir, path, flags | O_CLOEXEC, mode);
    if (fd < 0) return os_error(errno, cat("opening '", path, "'"));
    return Fd(fd);
}

Result<Fd> open_in_root(int root, const char* path, int flags, mode_t mode, unsigned resolve) {
    open_how how = {};
    how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
    how.mode = (flags & (O_CREAT | O_TMPFILE)) ? mode : 0;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve;
    // EAGAIN means that a rename raced with the walk; the kernel asks the caller to try again.
    for (int tries = 0; tries < 64; ++tries) {
        long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0) return Fd(static_cast<int>(fd));
        if (errno != EAGAIN) break;
    }
    return os_error(errno, cat("opening '", path, "' in the tree"));
}

Result<std::string> read_all(int fd, size_t limit) {
    std::string out;
    char buffer[4096];
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error(errno, "reading");
        if (n == 0) return out;
        if (out.size() + static_cast<size_t>(n) > limit)
            return error(Errc::invalid, cat("larger than the ", limit, " bytes that are allowed"));
        out.append(buffer, static_cast<size_t>(n));
    }
}

Result<std::string> read_file_at(int dir, const char* path, size_t limit) {
    Fd fd = TRY(open_at(dir, path, O_RDONLY));
    return read_all(fd.get(), limit).within(cat("'", path, "'"));
}

Result<> write_all(int fd, std::string_view data) {
    while (!data.empty()) {
        ssize_t n = write(fd, data.data(), data.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error(errno, "writing");
        data.remove_prefix(static_cast<size_t>(n));
    }
    return {};
}

Result<> write_file_at(int dir, const char* path, std::string_view data) {
    Fd fd = TRY(open_at(dir, path, O_WRONLY));
    ssize_t n = write(fd.get(), data.data(), data.size());
    if (n != static_cast<ssize_t>(data.size()))
        return os_error(n < 0 ? errno : EIO, cat("writing '", data, "' to '", path, "'"));
    return {};
}

Result<> replace_file_at(int dir, const char* name, std::string_view data, mode_t mode) {
    // The name carries the pid, so that two writers never share a temporary file.
    std::string temporary = cat(".", name, ".", static_cast<long>(getpid()));
    Fd fd = TRY(open_at(dir, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
    Result<> written = write_all(fd.get(), data);
    if (written && renameat(dir, temporary.c_str(), dir, name) < 0)
        written = os_error(errno, cat("renaming '", temporary, "' to '", name, "'"));
    if (!written) unlinkat(dir, temporary.c_str(), 0);
    return written;
}

Result<> make_dirs_at(int dir, std::string_view path, mode_t mode) {
    std::string whole(path);
    for (size_t slash = 1; slash <= whole.size(); ++slash) {
        if (slash < whole.size() && whole[slash] != '/') continue;
        std::string part = whole.substr(0, slash);
        if (mkdirat(dir, part.c_str(), mode) < 0 && errno != EEXIST)
            return os_error(errno, cat("making directory '", part, "'"));
    }
    return {};
}

bool exists_at(int dir, const char* path) { return faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0; }

void fill_standard_streams() {
    for (int fd = 0; fd <= 2; ++fd)
        while (fcntl(fd, F_GETFD) < 0)
            if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) < 0) _exit(125);
}

}  // namespace croft
