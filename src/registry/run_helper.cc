#include "registry/run_helper.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "base/text.h"

extern char** environ;

namespace croft::registry {

namespace {
constexpr int patience_ms = 30'000;
constexpr size_t most_output = 1 << 20;

// One step of reading; false at the end.
Result<bool> take(int fd, std::string& out, const std::string& program) {
    char room[8192];
    ssize_t count = read(fd, room, sizeof room);
    if (count < 0) return errno == EINTR ? Result<bool>(true) : os_error(errno, cat("reading from ", program));
    out.append(room, static_cast<size_t>(count));
    if (out.size() > most_output) return error(Errc::invalid, cat(program, " answers with more than ", human_size(most_output)));
    return count > 0;
}

struct Streams {
    Pipe input, output, errors;
};

Result<> exchange(Streams& streams, std::string_view text, HelperAnswer& answer, const std::string& program) {
    while (streams.output.read || streams.errors.read) {
        // poll(2) passes over negative descriptors.
        pollfd waits[] = {{streams.output.read.get(), POLLIN, 0},
                          {streams.errors.read.get(), POLLIN, 0},
                          {streams.input.write.get(), POLLOUT, 0}};
        int ready = poll(waits, 3, patience_ms);
        if (ready < 0 && errno != EINTR) return os_error(errno, cat("waiting for ", program));
        if (!ready) return error(Errc::timeout, cat(program, " said nothing for ", patience_ms / 1000, "s"));
        if (waits[0].revents && !TRY(take(streams.output.read.get(), answer.output, program))) streams.output.read.reset();
        if (waits[1].revents && !TRY(take(streams.errors.read.get(), answer.errors, program))) streams.errors.read.reset();
        if (!waits[2].revents) continue;
        ssize_t count = text.empty() ? 0 : write(streams.input.write.get(), text.data(), text.size());
        if (count > 0) text.remove_prefix(static_cast<size_t>(count));
        // A program that does not want to know more has closed it.
        if (text.empty() || (count < 0 && errno != EINTR && errno != EAGAIN)) streams.input.write.reset();
    }
    return {};
}

Result<pid_t> spawn(const std::vector<std::string>& words, const Streams& streams) {
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, streams.input.read.get(), 0);
    posix_spawn_file_actions_adddup2(&actions, streams.output.write.get(), 1);
    posix_spawn_file_actions_adddup2(&actions, streams.errors.write.get(), 2);
    pid_t pid = 0;
    int failed = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed == ENOENT) return error(Errc::not_found, cat("there is no program ", quoted(words[0]), "; install it"));
    if (failed) return os_error(failed, cat("running ", words[0]));
    return pid;
}
}  // namespace

Result<HelperAnswer> run_helper(const std::vector<std::string>& words, std::string_view input) {
    Streams streams{TRY(make_pipe()), TRY(make_pipe()), TRY(make_pipe())};
    pid_t pid = TRY(spawn(words, streams));
    streams.input.read.reset(), streams.output.write.reset(), streams.errors.write.reset();
    // A program that ends without reading must not end us.
    signal(SIGPIPE, SIG_IGN);
    HelperAnswer answer;
    Result<> exchanged = exchange(streams, input, answer, words[0]);
    if (!exchanged) kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    TRY(std::move(exchanged));
    answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return answer;
}

}  // namespace croft::registry
