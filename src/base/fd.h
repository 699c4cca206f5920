// Fd: an owned file descriptor. Move-only, closed at the end of its life, never an int by accident; 0 is a
// normal value. Whoever makes one makes it CLOEXEC. A mount that is not attached yet is an Fd too, so an error
// path has nothing to undo.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace croft {

class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept;
    ~Fd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset();

  private:
    int fd_ = -1;
};

struct Pipe {
    Fd read, write;
};
Result<Pipe> make_pipe();

// A directory fd and a path below it; AT_FDCWD is the process's own directory. All flags get O_CLOEXEC.
Result<Fd> open_at(int dir, const char* path, int flags, mode_t mode = 0);
// As open_at, but the path cannot leave `root`: openat2 with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS, plus `resolve`.
// This is the only way to walk a path inside a tree that a payload may have written to.
Result<Fd> open_in_root(int root, const char* path, int flags, mode_t mode = 0, unsigned resolve = 0);
// Reads a whole file of at most `limit` bytes; a larger one is an error.
Result<std::string> read_file_at(int dir, const char* path, size_t limit = 1 << 20);
Result<std::string> read_all(int fd, size_t limit = 1 << 20);
Result<> write_all(int fd, std::string_view data);
// Writes with one write(2), as files of /proc and cgroupfs want it.
Result<> write_file_at(int dir, const char* path, std::string_view data);
// Replaces a file atomically: temporary name, write, rename. No fsync: used below /run.
Result<> replace_file_at(int dir, const char* name, std::string_view data, mode_t mode = 0644);
// mkdir -p below a directory fd.
Result<> make_dirs_at(int dir, std::string_view path, mode_t mode = 0755);
bool exists_at(int dir, const char* path);
// A caller may have closed a standard stream. The next file that is opened would then be "standard output", so the places
// are filled first.
void fill_standard_streams();

}  // namespace croft
