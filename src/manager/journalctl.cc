#include "manager/journalctl.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "base/text.h"

namespace croft::manager {
namespace {

[[noreturn]] void execute(std::vector<std::string> words, int output) {
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, 0), dup2(output, 1);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
}

// Until its end, or `go_on` says no: then true, and journalctl still runs.
Result<bool> pass_on(int output, const std::function<Result<>(std::string_view)>& sink,
                     const std::function<bool()>& go_on) {
    bool last = false;
    for (;;) {
        pollfd watched = {output, POLLIN, 0};
        int n = poll(&watched, 1, go_on ? (last ? 300 : 1000) : -1);
        if (n < 0 && errno != EINTR) return os_error(errno, "reading the journal");
        if (n == 0) {
            // Once more, for what was written just before.
            if (last) return true;
            last = !go_on();
        }
        if (n <= 0) continue;
        char buffer[16384];
        ssize_t size = read(output, buffer, sizeof buffer);
        if (size < 0 && errno != EINTR) return os_error(errno, "reading the journal");
        if (size == 0) return false;
        if (size > 0) TRY(sink({buffer, static_cast<size_t>(size)}));
    }
}

}  // namespace

Result<> journalctl(std::vector<std::string> words, const std::function<Result<>(std::string_view)>& sink,
                    const std::function<bool()>& go_on) {
    Pipe pipe = TRY(make_pipe());
    words.insert(words.begin(), {"journalctl", "--quiet", "--no-pager"});
    pid_t child = fork();
    if (child < 0) return os_error(errno, "starting journalctl");
    if (child == 0) execute(std::move(words), pipe.write.get());
    pipe.write.reset();
    auto stopped = pass_on(pipe.read.get(), sink, go_on);
    pipe.read.reset();
    bool by_us = !stopped || *stopped;
    if (by_us) ::kill(child, SIGTERM);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!stopped) return std::move(stopped).error();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error(Errc::unsupported, "this is in the host's journal, and journalctl is not there to read it");
    if (status && !by_us) return error(Errc::failed, "journalctl failed");
    return {};
}

}  // namespace croft::manager
