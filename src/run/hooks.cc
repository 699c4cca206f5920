#include "run/hooks.h"

#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/signals.h"
#include "base/text.h"
#include "kernel/clone.h"
#include "kernel/raw.h"
#include "run/exec_report.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace croft::run {

using kernel::arg;
using kernel::raw;

namespace {

// What the hook's process is given: made before, because it shares our memory until it executes.
struct Start {
    const char* path;
    std::vector<const char*> argv, envp;
    int state;
    long* error;  // of exec
};

int become_hook(void* argument) {
    auto* s = static_cast<Start*>(argument);
    uint64_t none = 0;
    // A group of its own, so that it can be killed with what it has started.
    raw(SYS_setpgid, 0, 0);
    raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    raw(SYS_umask, 0022);
    raw(SYS_dup3, s->state, 0, 0);
    raw(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
    raw(SYS_rt_sigprocmask, SIG_SETMASK, arg(&none), 0, sizeof none);
    *s->error = raw(SYS_execve, arg(s->path), arg(s->argv.data()), arg(s->envp.data()));
    return 127;
}

int64_t milliseconds() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

// False when the time is over before the process has ended.
bool ends_in_time(int pidfd, uint32_t timeout) {
    pollfd end = {.fd = pidfd, .events = POLLIN, .revents = 0};
    if (!timeout) return true;
    const int64_t until = milliseconds() + int64_t{timeout} * 1000;
    for (;;) {
        int64_t left = until - milliseconds();
        if (left <= 0) return false;
        int most = left > 1'000'000'000 ? 1'000'000'000 : static_cast<int>(left);
        if (poll(&end, 1, most) > 0) return true;
    }
}

std::string how_it_ended(int32_t status) {
    if (status >= hook_errno_base) return cat("could not be run: ", errno_text(status - hook_errno_base));
    if (status < 0) return "did not end in its time and was killed";
    if (WIFSIGNALED(status)) return cat("was killed by ", signal_name(WTERMSIG(status)));
    return cat("exited with status ", WEXITSTATUS(status));
}

Error hook_error(std::string_view list, size_t index, const launch::Hook& hook, std::string_view how,
                 int err = 0) {
    Error e = error(Errc::failed,
                    cat("error running ", list, " hook #", index, " ", quoted(hook.path), ": it ", how));
    e.err = err;
    return e;
}

Result<> run_hook(std::string_view list, size_t index, const launch::Hook& hook, std::string_view state) {
    Fd file = TRY(memory_file("state", state).within(cat("running the ", list, " hook ", quoted(hook.path))));
    // Shared with the hook's process also where a sanitizer has it get memory of its own.
    void* shared = mmap(nullptr, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return os_error(errno, cat("running the ", list, " hook ", quoted(hook.path)));
    OnExit unmap([shared] { munmap(shared, sizeof(long)); });
    long& exec_error = *static_cast<long*>(shared);
    Start start = {.path = hook.path.c_str(), .argv = {}, .envp = {}, .state = file.get(), .error = &exec_error};
    for (const std::string& word : hook.args) start.argv.push_back(word.c_str());
    if (hook.args.empty()) start.argv.push_back(hook.path.c_str());
    for (const std::string& word : hook.env) start.envp.push_back(word.c_str());
    start.argv.push_back(nullptr), start.envp.push_back(nullptr);
    alignas(16) char stack[16384];
    int pidfd = -1;
    clone_args args = {};
    args.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    args.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
    args.exit_signal = SIGCHLD;
    long pid = kernel::clone_run(args, stack, sizeof stack, become_hook, &start);
    if (pid < 0)
        return hook_error(list, index, hook, how_it_ended(static_cast<int32_t>(hook_errno_base - pid)),
                          static_cast<int>(-pid));
    Fd process(pidfd);
    const bool in_time = ends_in_time(pidfd, hook.timeout);
    if (!in_time) {
        kill(static_cast<pid_t>(-pid), SIGKILL);
        raw(SYS_pidfd_send_signal, pidfd, SIGKILL, 0, 0);
    }
    int status = 0;
    while (waitpid(static_cast<pid_t>(pid), &status, 0) < 0 && errno == EINTR) {
    }
    if (exec_error < 0)
        return hook_error(list, index, hook,
                          how_it_ended(static_cast<int32_t>(hook_errno_base - exec_error)),
                          static_cast<int>(-exec_error));
    if (!in_time)
        return hook_error(list, index, hook, cat("did not end within ", hook.timeout, " s and was killed"),
                          ETIMEDOUT);
    if (status != 0) return hook_error(list, index, hook, how_it_ended(status));
    return {};
}

}  // namespace

Result<Fd> memory_file(const char* name, std::string_view content) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) fd = memfd_create(name, MFD_CLOEXEC);  // before Linux 6.3
    if (fd < 0) return os_error(errno, "making a file in memory");
    Fd file(fd);
    TRY(write_all(fd, content));
    if (lseek(fd, 0, SEEK_SET) < 0) return os_error(errno, "making a file in memory");
    return file;
}

Result<> run_hooks(std::string_view list, const std::vector<launch::Hook>& hooks, std::string_view state) {
    for (size_t i = 0; i < hooks.size(); ++i) TRY(run_hook(list, i, hooks[i], state));
    return {};
}

Result<Fd> start_hook_words(const std::vector<launch::Hook>& hooks) {
    std::string text = cat(hooks.size(), '\0');
    auto add = [&text](std::string_view word) { text += word, text += '\0'; };
    for (const launch::Hook& hook : hooks) {
        if (hook.args.size() + hook.env.size() + 1 > most_hook_words)
            return error(Errc::invalid, cat("the startContainer hook ", quoted(hook.path), " has ",
                                            hook.args.size(), " arguments and ", hook.env.size(),
                                            " variables; together at most ", most_hook_words - 1));
        add(cat(hook.timeout));
        add(hook.path);
        add(cat(hook.args.empty() ? size_t{1} : hook.args.size()));
        if (hook.args.empty()) add(hook.path);
        for (const std::string& word : hook.args) add(word);
        add(cat(hook.env.size()));
        for (const std::string& word : hook.env) add(word);
    }
    return memory_file("hooks", text);
}

Error start_hook_error(const std::vector<launch::Hook>& hooks, uint16_t index, int32_t status) {
    return hook_error("startContainer", index, index < hooks.size() ? hooks[index] : launch::Hook{},
                      how_it_ended(status), status == hook_timed_out ? ETIMEDOUT : 0);
}

}  // namespace croft::run
