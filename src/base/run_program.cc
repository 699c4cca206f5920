#include "base/run_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "base/text.h"

namespace croft {
namespace {

constexpr size_t most_input = 32 << 10;  // that a pipe holds without a reader

// The end of a pipe that has all of it.
Result<Fd> prepared_input(const std::string& input) {
    if (input.size() > most_input) return error(Errc::invalid, "what a program shall read is too long");
    Pipe pipe = TRY(make_pipe());
    TRY(write_all(pipe.write.get(), input));
    return std::move(pipe.read);
}

// The last line that a tool said, without its full stop: that is where it says why.
std::string last_line(std::string_view said) {
    said = trim(said);
    said = said.substr(said.rfind('\n') + 1);
    if (said.ends_with('.')) said.remove_suffix(1);
    return std::string(said);
}

}  // namespace

Result<int> run_program(const std::vector<std::string>& argv, std::string& said, const ProgramOptions& options) {
    Pipe pipe = TRY(make_pipe());
    Fd input;
    if (!options.input.empty()) input = TRY(prepared_input(options.input));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (input)
        posix_spawn_file_actions_adddup2(&actions, input.get(), 0);
    else if (!options.asks)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe.write.get(), 1);
    if (!options.asks) posix_spawn_file_actions_adddup2(&actions, pipe.write.get(), 2);
    std::vector<char*> words;
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    pid_t pid = -1;
    int err = posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (err) return os_error(err, cat("executing ", quoted(argv[0])));
    pipe.write.reset();
    said = TRY(read_all(pipe.read.get()));
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return os_error(errno, cat("waiting for ", quoted(argv[0])));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<> run_tool(const std::vector<std::string>& argv, const ProgramOptions& options,
                  std::string_view package, std::string_view doing) {
    std::string said;
    auto status = run_program(argv, said, options);
    if (!status && status.error().code == Errc::not_found)
        return error(Errc::unsupported, cat(doing, " needs ", argv[0], ", which is not here; install ", package));
    if (!status) return std::move(status).error().within(doing);
    if (*status == 0) return {};
    std::string why = last_line(said);
    return error(Errc::failed, cat(doing, " failed: ", argv[0],
                                   why.empty() ? cat(" ended with status ", *status) : cat(" says: ", why)));
}

}  // namespace croft
