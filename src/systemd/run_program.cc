#include "systemd/run_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "base/text.h"

namespace croft::systemd {

Result<int> run_program(const std::vector<std::string>& argv, std::string& said) {
    Pipe pipe = TRY(make_pipe());
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe.write.get(), 1);
    posix_spawn_file_actions_adddup2(&actions, pipe.write.get(), 2);
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

}  // namespace croft::systemd
