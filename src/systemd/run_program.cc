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
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return os_error(errno, "making a pipe");
    Fd read_end(ends[0]), write_end(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), 2);
    std::vector<char*> words;
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    pid_t pid = -1;
    int err = posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (err) return os_error(err, cat("executing ", quoted(argv[0])));
    write_end.reset();
    said = TRY(read_all(read_end.get()));
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return os_error(errno, cat("waiting for ", quoted(argv[0])));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace croft::systemd
