// edit: a machine file in the user's editor.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/fd.h"
#include "base/log.h"
#include "base/names.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "manager/change.h"
#include "manager/states.h"

namespace croft::cli {

namespace {
// As sudoedit and git have it: $VISUAL, $EDITOR, or what the distribution has chosen.
std::string editor() {
    for (const char* name : {"VISUAL", "EDITOR"})
        if (const char* value = getenv(name); value && *value) return value;
    for (const char* path :
         {"/usr/bin/sensible-editor", "/usr/bin/editor", "/usr/bin/nano", "/usr/bin/vi", "/bin/vi"})
        if (access(path, X_OK) == 0) return path;
    return "vi";
}

// The variable may hold arguments, so a shell takes it apart; the file's path is passed beside it.
Result<> run_editor(const std::string& path) {
    std::string command = cat(editor(), " \"$1\"");
    pid_t child = fork();
    if (child < 0) return os_error(errno, "starting the editor");
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", command.c_str(), "sh", path.c_str(), static_cast<char*>(nullptr));
        _exit(127);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status == 0) return {};
    return error(Errc::failed, cat("the editor (", editor(), ") failed; nothing is changed"));
}

// The copy: the user's alone, and with a name by which editors know what it is.
Result<std::string> make_copy(const manager::Paths& paths, const std::string& name, const std::string& text) {
    TRY(make_dirs_at(AT_FDCWD, paths.run).within("making croft's run directory"));
    std::string path = cat(paths.run, "/edit-", name, "-XXXXXX.machine");
    Fd file(mkostemps(path.data(), 8, O_CLOEXEC));
    if (!file) return os_error(errno, cat("making a copy of the machine file in ", paths.run));
    TRY(write_all(file.get(), text));
    return path;
}

bool wants_again() {
    if (!is_terminal(STDIN_FILENO) || !is_terminal(STDERR_FILENO)) return false;
    (void)write_all(STDERR_FILENO, "croft: edit it again? [Y/n] ");
    char answer[64];
    ssize_t n = read(STDIN_FILENO, answer, sizeof answer);
    return n > 0 && answer[0] != 'n' && answer[0] != 'N';
}

Result<int> finish(const Arguments& args, const manager::Paths& paths, const std::string& name,
                   const manager::Editable& before) {
    if (args.has("--quiet")) return 0;
    auto machine = manager::find(paths, name);
    bool alive = machine && machine->alive();
    info(cat(before.to, " is changed",
             alive ? cat("; machine ", quoted(name), " is ", manager::state_name(machine->state),
                         ", and the next start goes by it (`croft diff ", name, "`)")
                   : std::string()));
    return 0;
}

// The whole file from elsewhere: for programs, and for croftd's Define.
Result<int> take_file(const Arguments& args, const manager::Paths& paths, const std::string& name,
                      const std::string& file) {
    TRY(check_machine_name(name));
    auto text = file == "-" ? read_all(STDIN_FILENO) : read_file_at(AT_FDCWD, file.c_str());
    if (!text) return std::move(text).within(file == "-" ? "standard input" : file).error();
    auto before = manager::editable_file(paths, name);
    if (!before && before.error().code != Errc::not_found) return std::move(before).error();
    std::string path = cat(paths.config, "/", name, ".machine");
    manager::Editable change = before ? std::move(*before) : manager::Editable{path, path, ""};
    TRY(manager::replace_machine_file(paths, name, change, *text));
    return finish(args, paths, name, change);
}
}  // namespace

Result<int> verb_edit(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    const std::string& name = args.operands[0];
    manager::Paths paths = TRY(manager::find_paths());
    if (const std::string* file = args.value("--file")) return take_file(args, paths, name, *file);
    manager::Editable before = TRY(manager::editable_file(paths, name));
    std::string copy = TRY(make_copy(paths, name, before.text));
    OnExit remove_copy([&] { unlink(copy.c_str()); });
    for (;;) {
        TRY(run_editor(copy));
        std::string text = TRY(read_file_at(AT_FDCWD, copy.c_str()));
        if (text == before.text) {
            if (!args.has("--quiet")) info(cat(before.from, " is unchanged"));
            return 0;
        }
        Result<> replaced = manager::replace_machine_file(paths, name, before, text);
        if (replaced) return finish(args, paths, name, before);
        if (replaced.error().code != Errc::invalid) return std::move(replaced).error();
        log(LogLevel::error, replaced.error().text);
        if (!wants_again())
            return error(Errc::invalid, cat(before.to, " stays as it was: what was edited has a mistake"));
    }
}

}  // namespace croft::cli
