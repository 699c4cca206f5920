#include "cli/bring_image.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "manager/image_root.h"

namespace croft::cli {
namespace {

Result<> run_images(const manager::Paths& paths, const std::string& word, bool quiet) {
    std::string program = paths.helpers + "/croft-images";
    std::vector<std::string> words = {"croft", "image", "pull", "--quiet", word};
    if (!quiet) words.erase(words.begin() + 3);
    std::vector<char*> argv;
    for (std::string& each : words) argv.push_back(each.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    pid_t child = 0;
    int failed = posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed == ENOENT)
        return error(Errc::unsupported, cat("image ", quoted(word), " is not in the store, and ", quoted(program),
                                            ", which would bring it, is not installed; install all of croft"));
    if (failed) return os_error(failed, cat("executing ", quoted(program)));
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return os_error(errno, cat("waiting for ", quoted(program)));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return error(Errc::failed, cat("image ", quoted(word), " could not be brought into the store"));
}

}  // namespace

Result<std::string> bring_image(const manager::Paths& paths, const std::string& word, bool quiet) {
    auto there = TRY(manager::find_image(paths, word));
    if (there) return std::move(there->name);
    if (!manager::names_foreign_image(word)) return word;
    TRY(run_images(paths, word, quiet));
    return manager::store_name(word);
}

Result<> bring_if_image(const manager::Paths& paths, const std::string& word, bool quiet) {
    if (!manager::names_foreign_image(word)) return {};
    TRY(bring_image(paths, word, quiet));
    return {};
}

}  // namespace croft::cli
