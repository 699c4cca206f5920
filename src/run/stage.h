// The stage: a mount namespace that every machine's mounts grow in, almost empty, so that starting costs the
// same on a host with ten mounts and on one with ten thousand (unshare(CLONE_NEWNS) copies every mount there
// is).
//
// Its root is a small tmpfs with
//   p, s        a proc of a PID namespace that is dead, a sysfs of a network namespace nobody is in. They
//   tell nothing,
//               but the kernel lets a user namespace mount its own proc and sysfs only where it can see a
//               whole one already (mount_too_revealing()).
//   l/0 … l/23  where the layers of overlays are attached until the machine's mounts are complete
//   blank-file, blank-dir   mode 000, what masks are made of
// It is made once and pinned by a bind of its nsfs file at RUN/stage/ns; everybody then works in a copy of
// it.
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace croft::run {

// The caller's own mount namespace, root and working directory, put back at the end of its life or by
// leave(). Made before Stage::enter, and the only way back.
class Stage {
  public:
    // Moves the caller into a fresh copy of the stage; "/" is the stage's root. With run_directory -1, or
    // where the stage cannot be pinned, it is made for the occasion.
    static Result<Stage> enter(int run_directory);
    Stage(Stage&& other) noexcept;
    Stage& operator=(Stage&&) = delete;
    ~Stage() { leave(); }
    void leave();

  private:
    Stage() = default;
    Fd namespace_, root_, directory_;
    bool inside_ = false;
};

// Makes and pins the stage if it is not there yet (doctor, tests); launch() does it by itself.
Result<> pin_stage(int run_directory);
// Takes the pin away. Machines that run are not touched.
Result<> unpin_stage(int run_directory);

}  // namespace croft::run
