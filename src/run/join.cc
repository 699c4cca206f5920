#include "run/join.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/text.h"
#include "kernel/clone.h"
#include "kernel/raw.h"
#include "run/attributes.h"
#include "run/payload.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;

namespace {

// The group that the leader lives in right now: an init may have moved itself below the one it was started
// in.
Result<Fd> leader_cgroup(pid_t leader, const std::string& cgroup_root) {
    std::string text = TRY(read_file_at(AT_FDCWD, cat("/proc/", leader, "/cgroup").c_str()));
    for (const std::string& line : split(text, '\n'))
        if (line.starts_with("0::/"))
            return open_at(AT_FDCWD, cat(cgroup_root, line.substr(3)).c_str(),
                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    return error(Errc::unsupported, "the machine is in no cgroup2 group");
}

// Nothing may look into a process that is in the machine but still runs croft: not /proc/PID/exe, not its
// memory.
class Undumpable {
  public:
    Undumpable() : before_(prctl(PR_GET_DUMPABLE)) { prctl(PR_SET_DUMPABLE, 0); }
    Undumpable(const Undumpable&) = delete;
    ~Undumpable() {
        if (before_ == 1) prctl(PR_SET_DUMPABLE, 1);
    }

  private:
    int before_;
};

// What the process in between works on, and what it leaves for its maker. In memory that both see, because a
// process that shares all of it cannot enter a time namespace.
struct Between {
    const JoinRequest* machine;
    const Prepared* prepared;
    Context* context;
    int root, launcher_socket;
    uint64_t share;  // CLONE_VM, or 0
    long error = 0;
    Spawned spawned;
};

// Entering the machine's PID namespace takes a process more: setns(2) counts for children only. This one
// enters everything, makes the wanted process a child of its own parent, and is gone. The caller itself never
// leaves the host's namespaces.
int enter_and_spawn(void* argument) {
    auto* b = static_cast<Between*>(argument);
    b->error = raw(SYS_setns, b->machine->leader_pidfd, static_cast<long>(b->machine->namespaces));
    // The leader's root, not that of its mount namespace; and a working directory that is surely inside
    // (CVE-2024-21626).
    if (b->error >= 0) b->error = raw(SYS_fchdir, b->root);
    if (b->error >= 0) b->error = raw(SYS_chroot, arg("."));
    if (b->error >= 0)
        b->spawned = spawn(*b->prepared, *b->context, CLONE_PARENT | b->share, -1, b->launcher_socket);
    return 0;
}

class SharedBetween {
  public:
    SharedBetween() {
        void* page =
            mmap(nullptr, sizeof(Between), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (page != MAP_FAILED) between_ = new (page) Between;
    }
    SharedBetween(const SharedBetween&) = delete;
    ~SharedBetween() {
        if (between_) munmap(between_, sizeof(Between));
    }
    Between* get() const { return between_; }

  private:
    Between* between_ = nullptr;
};

class Join {
  public:
    Join(const JoinRequest& machine, const launch::LaunchPlan& plan, const LaunchEnvironment& environment)
        : machine_(machine), plan_(plan), env_(environment), prepared_(plan.process) {}
    Result<Launched> run();

  private:
    Result<> start();
    Result<> clone();
    Result<> finish();

    const JoinRequest& machine_;
    const launch::LaunchPlan& plan_;
    const LaunchEnvironment& env_;
    const SignalBlock signals_;
    const Undumpable undumpable_;
    OomScore oom_score_;
    Prepared prepared_;
    Context context_;
    SyncSocket sync_;
    Fd group_, root_;
    Launched out_;
};

Result<> Join::start() {
    const bool private_users = machine_.namespaces & CLONE_NEWUSER;
    TRY(prepare(prepared_, env_));
    sync_ = TRY(make_sync_socket());
    context_.plan = &plan_;
    context_.sync = sync_.theirs.get();
    if (plan_.process.init || !private_users)
        prepared_.use_init(TRY(open_init(env_.helper_directory)), context_.sync);
    prepared_.user_namespace = private_users;
    prepared_.wait_for_go = has_attributes(plan_.process);
    if (plan_.process.oom_score_adjust) TRY(oom_score_.set(*plan_.process.oom_score_adjust));
    if (!env_.cgroup_root.empty()) group_ = TRY(leader_cgroup(machine_.leader, env_.cgroup_root));
    root_ = TRY(open_at(AT_FDCWD, cat("/proc/", machine_.leader, "/root").c_str(), O_PATH | O_DIRECTORY));
    return {};
}

Result<> Join::clone() {
    alignas(16) char stack[32768];
    SharedBetween shared;
    Between* between = shared.get();
    if (!between) return os_error(errno, "making a page of memory");
    uint64_t share = machine_.namespaces & CLONE_NEWTIME ? 0 : CLONE_VM;
    *between = {&machine_, &prepared_, &context_, root_.get(), sync_.ours.get(), share, 0, {}};
    clone_args args = {};
    // One table of descriptors, so that the pidfd of the new process lands in ours.
    args.flags = share | CLONE_VFORK | CLONE_FILES | CLONE_CLEAR_SIGHAND;
    args.exit_signal = SIGCHLD;  // inherited by the process it makes for us
    if (group_) {
        // Put there by us: inside, the machine's root might have no right to.
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<uint64_t>(group_.get());
    }
    long pid = kernel::clone_run(args, stack, sizeof stack, enter_and_spawn, between);
    if (pid < 0) return os_error(static_cast<int>(-pid), "making a process in the machine's cgroup");
    while (raw(SYS_wait4, pid, 0, __WALL, 0) == -EINTR) {
    }
    if (between->error < 0)
        return os_error(static_cast<int>(-between->error), "entering the machine's namespaces");
    // -1 is what it was before the other process was killed.
    if (between->spawned.pid < 0)
        return os_error(static_cast<int>(-between->spawned.pid),
                        "making a process in the machine's namespaces");
    out_.pid = static_cast<pid_t>(between->spawned.pid);
    out_.pidfd = Fd(between->spawned.pidfd);
    sync_.theirs.reset();
    return {};
}

Result<> Join::finish() {
    if (prepared_.wait_for_go) {
        TRY(set_attributes(out_.pid, plan_.process));
        if (send(sync_.ours.get(), &go_byte, 1, MSG_NOSIGNAL) != 1)
            return os_error(errno, "telling the process to go on");
    }
    if (auto told = wait_for_exec(sync_.ours.get(), out_.console))
        return explain_failure(plan_, told->failure, told->reason);
    return {};
}

Result<Launched> Join::run() {
    TRY(start());
    Result<> done = clone();
    if (done) done = finish();
    if (done) return std::move(out_);
    if (out_.pidfd) kill_child(out_.pidfd.get());
    return std::move(done).error();
}

}  // namespace

Result<Launched> join(const JoinRequest& machine, const launch::LaunchPlan& plan,
                      const LaunchEnvironment& environment) {
    return Join(machine, plan, environment).run();
}

}  // namespace croft::run
