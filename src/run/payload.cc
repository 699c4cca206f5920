#include "run/payload.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "kernel/clone.h"
#include "kernel/raw.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;

SignalBlock::SignalBlock() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before_);
}

SignalBlock::~SignalBlock() {
    sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Result<Fd> open_init(const std::string& helper_directory) {
    std::string path = cat(helper_directory, "/croft-init");
    long fd = kernel::raw_open_tree(AT_FDCWD, path.c_str(), true, false);
    if (fd < 0) return os_error(static_cast<int>(-fd), cat("opening '", path, "'"));
    Fd mount(static_cast<int>(fd));
    constexpr uint64_t quiet = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    if (long error = kernel::raw_set_attr(fd, quiet, 0, MS_PRIVATE, -1, false); error < 0)
        return os_error(static_cast<int>(-error), cat("making '", path, "' read-only"));
    return mount;
}

Result<> check_streams(const int (&streams)[3]) {
    static constexpr const char* names[] = {"standard input", "standard output", "standard error"};
    for (int i = 0; i < 3; ++i) {
        struct stat st;
        if (streams[i] < 0) continue;
        if (fstat(streams[i], &st) < 0) return os_error(errno, names[i]);
        if (S_ISDIR(st.st_mode))
            return error(Errc::invalid, cat(names[i],
                                            " is a directory of the host, which a machine must not get: "
                                            "redirect it (</dev/null)"));
    }
    return {};
}

Result<> prepare(Prepared& prepared, const LaunchEnvironment& environment) {
    if (!prepared.process.terminal) TRY(check_streams(environment.stdio));
    std::copy(environment.stdio, environment.stdio + 3, prepared.streams);
    prepared.filter = {static_cast<unsigned short>(environment.seccomp.size() / sizeof(sock_filter)),
                       reinterpret_cast<sock_filter*>(const_cast<char*>(environment.seccomp.data()))};
    prepared.filter_flags = environment.seccomp_flags;
    prepared.preserve_fds = environment.preserve_fds;
    prepared.handed.gate = environment.gate, prepared.handed.answer = environment.gate_answer;
    prepared.faults = {environment.fail_at, environment.kill_at, environment.fail_error};
    return {};
}

Undumpable::Undumpable(bool wanted) : before_(wanted ? prctl(PR_GET_DUMPABLE) : 0) {
    if (wanted) prctl(PR_SET_DUMPABLE, 0);
}

Undumpable::~Undumpable() {
    if (before_ == 1) prctl(PR_SET_DUMPABLE, 1);
}

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr size_t stack_size = 1 << 20;  // its frames are much larger
#else
constexpr size_t stack_size = 128 << 10;
#endif
alignas(16) char child_stack[stack_size];

struct Start {
    const Prepared* prepared;
    Context* context;
    int launcher_socket;
};

int start(void* argument) {
    auto* s = static_cast<Start*>(argument);
    kernel::raw_close(s->launcher_socket);
    become_payload(*s->prepared, *s->context);
}

}  // namespace

Spawned spawn(const Prepared& prepared, Context& context, uint64_t flags, int cgroup, int launcher_socket) {
    // Static: the child reads it when this function has long returned.
    static Start argument;
    argument = {&prepared, &context, launcher_socket};
    Spawned out;
    clone_args args = {};
    args.flags = flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    args.pidfd = reinterpret_cast<uintptr_t>(&out.pidfd);
    // A sibling takes over the signal of the process that makes it.
    args.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD;
    if (cgroup >= 0) {
        // Straight into its group: a move by cgroup.procs waits for an RCU grace period, milliseconds.
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<uint64_t>(cgroup);
    }
    out.pid = kernel::clone_run(args, child_stack, sizeof child_stack, start, &argument);
    return out;
}

namespace {

// What the process in between works on, and what it leaves for its maker. Both see it: mostly they share all of their
// memory, but a process that does cannot enter a time namespace.
struct Between {
    const Prepared* prepared;
    Context* context;
    uint64_t flags;
    int launcher_socket;
    long (*enter)(const void*);
    const void* argument;
    SpawnedInside out;
};

int enter_and_spawn(void* argument) {
    auto* b = static_cast<Between*>(argument);
    b->out.entered = b->enter(b->argument);
    if (b->out.entered >= 0)
        b->out.spawned = spawn(*b->prepared, *b->context, CLONE_PARENT | b->flags, -1, b->launcher_socket);
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

}  // namespace

Result<SpawnedInside> spawn_inside(const Prepared& prepared, Context& context, uint64_t flags, int cgroup,
                                   int launcher_socket, bool share_memory, long (*enter)(const void*),
                                   const void* argument) {
    alignas(16) char stack[32768];
    Between own;
    std::optional<SharedBetween> page;
    if (!share_memory || !kernel::clone_shares_memory) page.emplace();
    Between* between = page ? page->get() : &own;
    if (!between) return os_error(errno, "making a page of memory");
    uint64_t share = share_memory ? CLONE_VM : 0;
    *between = {&prepared, &context, flags | share, launcher_socket, enter, argument, {}};
    clone_args args = {};
    // One table of descriptors, so that the pidfd of the new process lands in ours.
    args.flags = share | CLONE_VFORK | CLONE_FILES | CLONE_CLEAR_SIGHAND;
    args.exit_signal = SIGCHLD;  // inherited by the process it makes for us
    if (cgroup >= 0) {
        // Put there by us: inside, the machine's root might have no right to.
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<uint64_t>(cgroup);
    }
    long pid = kernel::clone_run(args, stack, sizeof stack, enter_and_spawn, between);
    if (pid < 0) return os_error(static_cast<int>(-pid), "making a process in the machine's cgroup");
    while (raw(SYS_wait4, pid, 0, __WALL, 0) == -EINTR) {
    }
    return between->out;
}

void kill_child(int pidfd) {
    raw(SYS_pidfd_send_signal, pidfd, SIGKILL, 0, 0);
    siginfo_t info;
    while (waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | __WALL) < 0 && errno == EINTR) {
    }
}

}  // namespace croft::run
