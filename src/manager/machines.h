// The machines of this host (or user): finding, claiming, listing.
//
// The story. A machine *is* a directory machines/NAME and a lock on its file `lock`. Whoever starts a machine
// claims the name: makes the directory, takes the lock (an OFD lock, which a child inherits and the kernel
// drops when the last holder dies, however it dies), writes the record, launches. The lock is then held by
// the machine's keeper (croft in the foreground, croft-hold when detached) for as long as the machine lives.
// So the question "is it running?" is answered by the kernel and never by a file that somebody forgot to
// update:
//
//                 claim            launched           READY=1       stop           ended
//     (no dir) ---------> starting --------> booting --------> running ----> stopping ----> exited | failed
//         ^                |  |  ^              (no init: at once) |  ^                           |
//         |  launch failed |  |  | start                    pause |  | resume                     |
//         +----------------+  v  |                                 v  |                            |
//         |                  ready (--ready-only)                 frozen                           |
//         +--- rm, --rm, end of a foreground machine, or the next start of the same name ----------+
//
//   lock held, no leader in the record             starting  (ready: the record says "prepared")
//   lock held, leader, no `exit` file              running   (frozen: cgroup.freeze is 1)
//   lock held, leader, no `ready`, waits for it    booting
//   lock held, leader, `stop`                      stopping: it was asked to end, or is being killed
//   running, and its own systemd is not content    degraded: asked inside, so only `croft show` tells
//   lock free, `exit` says how                     exited, or failed when that was not a success
//   lock free, no `exit`                           lost: the keeper was killed. The next command that meets
//   it kills
//                                                  what is left in its cgroup, removes it and says so.
// A machine that a file declares (declared.h) has a state also when none of this is there (states.h):
//
//   its file, and no tree where the file says      configured
//   its file, and the mark of a copy under way     incomplete: the copy was interrupted, or goes on
//   its file and its tree                          installed
// Asking never disturbs: F_OFD_GETLK tells whether the lock is held without taking it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "launch/outcome.h"
#include "manager/paths.h"
#include "manager/record.h"

namespace croft::manager {

enum class State {
    // Alive: somebody holds the lock.
    ready,
    starting,
    booting,
    running,
    degraded,
    frozen,
    stopping,
    // Something of it is left.
    exited,
    failed,
    lost,
    // Declared, and nothing else.
    configured,
    incomplete,
    installed,
};
const char* state_name(State state);

struct Machine {
    std::string name;
    State state = State::lost;
    Record record;
    launch::Outcome outcome;  // when it has ended
    uint64_t ended = 0;       // µs since the epoch
    bool ready = false;       // READY=1 was seen
    std::string status;       // last STATUS= from inside
    std::string file;         // that declares it; only list_all() and find_any() (states.h) tell
    std::string mistake;      // in that file: it cannot be started
    bool alive() const { return state < State::exited; }
    bool only_declared() const { return state > State::lost; }
};

// A name that is ours: the directory and its lock. Dropping it without keep() removes the directory, so that
// a start that fails leaves nothing; a process that dies does so too as far as the kernel can (the lock), and
// the rest is cleared by the next command.
class Claim {
  public:
    Claim(Claim&& other) noexcept = default;
    Claim& operator=(Claim&&) = delete;
    ~Claim();
    int directory() const { return directory_.get(); }
    int lock() const { return lock_.get(); }
    const std::string& name() const { return name_; }
    std::string path() const;  // absolute
    Result<> write(const Record& record);
    // From here on the directory outlives this object (the lock lives as long as its descriptor and the
    // copies of it).
    void keep() { kept_ = true; }
    // The opposite: with this object the directory goes.
    void discard() { kept_ = false; }
    // Our copy of it only; with keep(), when another process holds it.
    void drop_lock() { lock_.reset(); }

  private:
    friend Result<Claim> claim(const Paths&, const std::string&);
    friend Result<Claim> adopt_claim(const Paths&, const std::string&);
    Claim() = default;
    std::string name_, machines_path_;
    Fd machines_, directory_, lock_;
    bool kept_ = false;
};

// Takes the name, or says who has it. The remains of a machine that has ended are replaced; of one that was
// lost, cleared with a warning.
Result<Claim> claim(const Paths& paths, const std::string& name);

// The claim that this process has inherited over exec (from croft-hold): found among its open files.
Result<Claim> adopt_claim(const Paths& paths, const std::string& name);

Result<Machine> find(const Paths& paths, std::string_view name);
// find(), for those who clear up: a launcher that was killed is outlived for a moment by the process it had made, which
// holds the lock, so a machine that seems to be starting is given some time (µs) to come up or to be lost.
inline constexpr uint64_t settle_shortly = 300'000, settle_start = 10'000'000;
Result<Machine> find_settled(const Paths& paths, std::string_view name, uint64_t patience = settle_shortly);
// find(), and an error (wrong_state) unless it is alive and has a leader. Verbs use find_for() of states.h.
Result<Machine> find_running(const Paths& paths, std::string_view name);
// Of all that have a directory. One readdir(3).
Result<std::vector<std::string>> machine_names(const Paths& paths);
// Sorted by name. A directory that is no machine is passed over.
Result<std::vector<Machine>> list(const Paths& paths);

// Makes an outcome the one of a machine that was stopped: `note` is the content of its file `stop`.
void apply_stop(launch::Outcome& outcome, std::string_view note);

// Removes what a machine left: cgroup, scratch files, id range, lock files, its directory. Idempotent;
// refuses a machine that is alive.
Result<> clear(const Paths& paths, const Machine& machine);

}  // namespace croft::manager
