#include "run/seccomp_helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

namespace croft::run {

namespace {

constexpr int timeout_ms = 10'000;
constexpr size_t largest_output = 2 << 20;

// Request and answer are files in memory: nobody blocks on a pipe that the other end does not read.
Result<Fd> memory_file(std::string_view content) {
    Fd file(memfd_create("croft-seccomp", MFD_CLOEXEC));
    if (!file) return os_error(errno, "making a file in memory");
    TRY(write_all(file.get(), content));
    if (lseek(file.get(), 0, SEEK_SET) != 0) return os_error(errno, "rewinding a file in memory");
    return file;
}

// posix_spawn uses vfork and leaves signal handlers of ours behind; SIGPIPE and the mask are set back as any
// new program expects them.
Result<pid_t> spawn(const std::string& helper, const Fd& input, const Fd& output) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, input.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, output.get(), STDOUT_FILENO);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char* argv[] = {const_cast<char*>("croft-seccomp"), nullptr};
    char* environment[] = {nullptr};
    pid_t pid = -1;
    int failed = posix_spawn(&pid, helper.c_str(), &files, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (failed) return os_error(failed, cat("starting the filter compiler ", helper));
    return pid;
}

Result<int> wait_for(pid_t pid) {
    Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    pollfd ready{pidfd.get(), POLLIN, 0};
    int n = 0;
    while (pidfd && (n = poll(&ready, 1, timeout_ms)) < 0 && errno == EINTR) {
    }
    if (pidfd && n == 0) kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return os_error(errno, "waiting for the filter compiler");
    if (pidfd && n == 0) return error(Errc::timeout, "the filter compiler did not answer within ten seconds");
    return status;
}

}  // namespace

Result<std::string> run_seccomp_helper(const std::string& helper, std::string_view request) {
    Fd input = TRY(memory_file(request));
    Fd output = TRY(memory_file(""));
    pid_t pid = TRY(spawn(helper, input, output));
    int status = TRY(wait_for(pid));
    if (lseek(output.get(), 0, SEEK_SET) != 0) return os_error(errno, "rewinding a file in memory");
    std::string answer = TRY(read_all(output.get(), largest_output));
    if (WIFSIGNALED(status))
        return error(Errc::failed,
                     cat("the filter compiler ", helper, " was killed by signal ", WTERMSIG(status)));
    if (status != 0)
        return error(Errc::invalid, answer.empty()
                                        ? cat("the filter compiler ", helper, " failed without a word")
                                        : cat("system call filter: ", answer));
    return answer;
}

}  // namespace croft::run
