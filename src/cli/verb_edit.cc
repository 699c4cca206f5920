// edit: a machine file in the user's editor.
#include <fcntl.h>
#include <sys/mman.h>
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
#include "cli/remote.h"
#include "cli/verbs.h"
#include "format/json_document.h"
#include "format/json_writer.h"
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

// Where the file is: on this host, or behind the bus. There the editor is the caller's all the same, with the caller's
// rights: one that croftd ran would be a shell of root's.
// Both return an exit status: another one than 0 has been told on standard error.
class Place {
  public:
    virtual ~Place() = default;
    virtual Result<int> fetch(manager::Editable& file) = 0;
    virtual Result<int> replace(const manager::Editable& before, const std::string& text) = 0;
    virtual Result<std::string> copies() const = 0;  // a directory for the copy
};

class Here : public Place {
  public:
    Here(const manager::Paths& paths, const std::string& name, bool quiet) : paths_(paths), name_(name), quiet_(quiet) {}
    Result<int> fetch(manager::Editable& file) override {
        file = TRY(manager::editable_file(paths_, name_));
        return 0;
    }
    Result<int> replace(const manager::Editable& before, const std::string& text) override {
        TRY(manager::replace_machine_file(paths_, name_, before, text));
        if (!quiet_) tell_change(before);
        return 0;
    }
    Result<std::string> copies() const override {
        TRY(make_dirs_at(AT_FDCWD, paths_.run).within("making croft's run directory"));
        return paths_.run;
    }

  private:
    void tell_change(const manager::Editable& before) {
        auto machine = manager::find(paths_, name_);
        bool alive = machine && machine->alive();
        info(cat(before.to, " is changed",
                 alive ? cat("; machine ", quoted(name_), " is ", manager::state_name(machine->state),
                             ", and the next start goes by it (`croft diff ", name_, "`)")
                       : std::string()));
    }

    const manager::Paths& paths_;
    const std::string& name_;
    const bool quiet_;
};

constexpr size_t most_text = 16 << 20;

std::string to_json(const manager::Editable& file, const std::string* text) {
    format::JsonWriter json(format::JsonStyle::compact);
    json.begin_object().member("from", file.from).member("to", file.to).member("text", file.text);
    if (text) json.member("new", *text);
    json.end_object();
    return json.take();
}

Result<manager::Editable> from_json(std::string_view bytes, std::string* text) {
    auto document = format::JsonDocument::parse(bytes);
    if (!document) return std::move(document).error();
    manager::Editable file;
    auto take = [&](const char* key, std::string& to) {
        auto value = document->root().member(key);
        if (value) to = value->text();
        return value.has_value();
    };
    if (take("from", file.from) && take("to", file.to) && take("text", file.text) && (!text || take("new", *text)))
        return file;
    return error(Errc::failed, "what came over the bus is not what `croft edit` sends");
}

class OverTheBus : public Place {
  public:
    OverTheBus(const Verb& verb, const std::string& name, bool quiet) : verb_(verb), name_(name), quiet_(quiet) {}
    Result<int> fetch(manager::Editable& file) override {
        std::string bytes;
        if (int status = TRY(ask("--fetch", "", bytes))) return status;
        file = TRY(from_json(bytes, nullptr));
        return 0;
    }
    Result<int> replace(const manager::Editable& before, const std::string& text) override {
        std::string nothing;
        return ask("--replace", to_json(before, &text), nothing);
    }
    Result<std::string> copies() const override {
        const char* own = getenv("XDG_RUNTIME_DIR");
        return own && *own ? own : "/tmp";
    }

  private:
    // The verb itself, there, with files in memory as its standard input and output.
    Result<int> ask(std::string option, const std::string& input, std::string& output) {
        Fd in(memfd_create("input", MFD_CLOEXEC)), out(memfd_create("output", MFD_CLOEXEC));
        Fd own_in(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)), own_out(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
        if (!in || !out || !own_in || !own_out) return os_error(errno, "making a file in memory");
        TRY(write_all(in.get(), input));
        lseek(in.get(), 0, SEEK_SET);
        std::string quiet = "--quiet", end = "--", name = name_;
        std::vector<char*> words = {option.data(), end.data(), name.data()};
        if (quiet_) words.insert(words.begin(), quiet.data());
        dup2(in.get(), STDIN_FILENO), dup2(out.get(), STDOUT_FILENO);
        auto status = run_over_bus(verb_, words, {});
        dup2(own_in.get(), STDIN_FILENO), dup2(own_out.get(), STDOUT_FILENO);
        if (!status || *status) return status;
        lseek(out.get(), 0, SEEK_SET);
        output = TRY(read_all(out.get(), most_text));
        return 0;
    }

    const Verb& verb_;
    const std::string& name_;
    const bool quiet_;
};

// The copy: the user's alone, and with a name by which editors know what it is.
Result<std::string> make_copy(const std::string& directory, const std::string& name, const std::string& text) {
    std::string path = cat(directory, "/croft-edit-", name, "-XXXXXX.machine");
    Fd file(mkostemps(path.data(), 8, O_CLOEXEC));
    if (!file) return os_error(errno, cat("making a copy of the machine file in ", directory));
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

// The whole file from elsewhere: for programs, and for croftd's Define.
Result<int> take_file(const manager::Paths& paths, const std::string& name, const std::string& file, Place& place) {
    TRY(check_machine_name(name));
    auto text = file == "-" ? read_all(STDIN_FILENO) : read_file_at(AT_FDCWD, file.c_str());
    if (!text) return std::move(text).within(file == "-" ? "standard input" : file).error();
    std::string path = cat(paths.config, "/", name, ".machine");
    manager::Editable before = {path, path, ""};
    auto there = place.fetch(before);
    if (!there && there.error().code != Errc::not_found) return std::move(there).error();
    return place.replace(before, *text);
}

Result<int> edit(Place& place, const std::string& name, bool quiet) {
    manager::Editable before;
    if (int status = TRY(place.fetch(before))) return status;
    std::string directory = TRY(place.copies());
    std::string copy = TRY(make_copy(directory, name, before.text));
    OnExit remove_copy([&] { unlink(copy.c_str()); });
    for (;;) {
        TRY(run_editor(copy));
        std::string text = TRY(read_file_at(AT_FDCWD, copy.c_str(), most_text));
        if (text == before.text) {
            if (!quiet) info(cat(before.from, " is unchanged"));
            return 0;
        }
        auto replaced = place.replace(before, text);
        bool mistake = replaced ? *replaced == errc_row(Errc::invalid).exit_status
                                : replaced.error().code == Errc::invalid;
        if (!mistake) return replaced;
        if (!replaced) log(LogLevel::error, replaced.error().text);
        if (!wants_again())
            return error(Errc::invalid, cat(before.to, " stays as it was: what was edited has a mistake"));
    }
}
}  // namespace

Result<int> verb_edit(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    const std::string& name = args.operands[0];
    const bool quiet = args.has("--quiet");
    if (goes_over_bus(verb)) {
        if (args.has("--file")) return run_over_bus(verb, arguments, {});
        OverTheBus there(verb, name, quiet);
        return edit(there, name, quiet);
    }
    manager::Paths paths = TRY(manager::find_paths());
    Here here(paths, name, quiet);
    if (const std::string* file = args.value("--file")) return take_file(paths, name, *file, here);
    manager::Editable before;
    if (args.has("--fetch")) {
        TRY(here.fetch(before));
        TRY(print(to_json(before, nullptr)));
        return 0;
    }
    if (args.has("--replace")) {
        std::string text;
        std::string bytes = TRY(read_all(STDIN_FILENO, most_text));
        before = TRY(from_json(bytes, &text));
        return here.replace(before, text);
    }
    return edit(here, name, quiet);
}

}  // namespace croft::cli
