// Lock files: OFD locks (fcntl(2), F_OFD_SETLK), which belong to the open file and not to the process. A
// child that inherits the descriptor holds the lock too, and the kernel drops it when the last of them is
// closed, however their processes end. systemd-nspawn takes the same kind on its own lock files. Called
// by who keeps machines, containers and images.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace croft {

enum class LockKind { shared, exclusive };

// Opens (making it if needed) and locks a file without waiting; nothing when somebody else holds it. A file
// that was removed while we took it is made again. `dir` as for openat(2).
Result<std::optional<Fd>> try_lock(int dir, const char* path, LockKind kind);
// The same, and waits as long as somebody else holds it.
Result<Fd> wait_for_lock(int dir, const char* path, LockKind kind);
// Locks an open file; false: somebody else holds it.
bool lock_fd(int fd, LockKind kind);
// Does anybody hold an exclusive lock on it? Takes nothing, so it disturbs nobody.
bool is_locked(int fd);
// Removes the file if nobody holds it. `own` is our own lock on it, if we have one.
void remove_lock_file(const std::string& path, Fd own = Fd());

}  // namespace croft
