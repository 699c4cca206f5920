// What a launch and a join have in common: the clone of the payload's process, what it is given, and how it
// is undone. Called within run/ only.
#pragma once

#include <signal.h>
#include <sys/stat.h>

#include <cstdint>

#include "base/fd.h"
#include "base/result.h"
#include "run/child.h"
#include "run/launch.h"
#include "run/messages.h"

namespace croft::run {

// No signal is handled while the payload's process shares the caller's memory. (It gets a clean mask of its
// own.)
class SignalBlock {
  public:
    SignalBlock();
    SignalBlock(const SignalBlock&) = delete;
    ~SignalBlock();

  private:
    sigset_t before_;
};

// No umask while steps are performed: the modes of a plan are meant as they are.
class NoUmask {
  public:
    NoUmask() : before_(umask(0)) {}
    NoUmask(const NoUmask&) = delete;
    ~NoUmask() { umask(before_); }

  private:
    mode_t before_;
};

// croft-init as a detached, read-only mount of its own: nothing that a machine can reach through
// /proc/PID/exe is a writable view of a host's file (CVE-2019-5736).
Result<Fd> open_init(const std::string& helper_directory);

// A directory among the standard streams would be a way to the host's files (CVE-2024-21626).
Result<> check_streams(const int (&streams)[3]);

// Fills what comes from the environment.
Result<> prepare(Prepared& prepared, const LaunchEnvironment& environment);

// Nothing may look into a process that is among a machine's but still runs croft: not /proc/PID/exe, not its
// memory.
class Undumpable {
  public:
    explicit Undumpable(bool wanted = true);
    Undumpable(const Undumpable&) = delete;
    ~Undumpable();

  private:
    int before_ = 0;
};

struct Spawned {
    long pid = -1;  // or -errno
    int pidfd = -1;
};
// Clones the payload's process, which shares the caller's memory (and so wants `prepared` and `context` alone
// until exec) when `flags` has CLONE_VM. `cgroup` is the group it starts in, or -1.
Spawned spawn(const Prepared& prepared, Context& context, uint64_t flags, int cgroup, int launcher_socket);

// The same by a process in between, which does `enter(argument)` first (0 or -errno; bare system calls) and
// is gone: for namespaces that one cannot come back from. It is in the cgroup itself, which its child may
// have no right to.
struct SpawnedInside {
    long entered = 0;  // what `enter` returned
    Spawned spawned;
};
Result<SpawnedInside> spawn_inside(const Prepared& prepared, Context& context, uint64_t flags, int cgroup,
                                   int launcher_socket, bool share_memory, long (*enter)(const void*),
                                   const void* argument);

// SIGKILL, and reaps it.
void kill_child(int pidfd);

}  // namespace croft::run
