// The kept output of a machine: `log`, and `log.1` before it (run/hold_protocol.h).
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "manager/inspect.h"
#include "manager/states.h"

namespace croft::manager {
namespace {

constexpr size_t log_limit = 64 << 20;  // far more than hold keeps

std::string read_or_empty(const std::string& path) {
    auto text = read_file_at(AT_FDCWD, path.c_str(), log_limit);
    return text ? std::move(*text) : std::string();
}

// Where the last `lines` lines begin.
size_t tail_start(std::string_view text, size_t lines) {
    if (lines == 0) return text.size();
    size_t at = text.size();
    if (at > 0 && text[at - 1] == '\n') --at;
    while (lines-- > 0) {
        size_t newline = at == 0 ? text.npos : text.rfind('\n', at - 1);
        if (newline == text.npos) return 0;
        at = newline;
    }
    return at + 1;
}

// What was written since the last call; a new file under the same name starts at its beginning.
Result<bool> pump(Fd& file, const std::string& path, const std::function<Result<>(std::string_view)>& sink) {
    bool any = false;
    char buffer[16384];
    for (;;) {
        ssize_t n = file ? read(file.get(), buffer, sizeof buffer) : 0;
        if (n < 0 && errno != EINTR) return os_error(errno, "reading the log");
        if (n > 0) {
            TRY(sink({buffer, static_cast<size_t>(n)}));
            any = true;
            continue;
        }
        struct stat ours = {}, now = {};
        bool there = stat(path.c_str(), &now) == 0;
        bool same = file && fstat(file.get(), &ours) == 0 && there && ours.st_ino == now.st_ino;
        if (!there || same) return any;
        file = Fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!file) return any;
    }
}

}  // namespace

Result<std::string> log_path(const Paths& paths, std::string_view name) {
    Machine machine = TRY(find_for(paths, name, "logs"));
    std::string path = cat(paths.machines, "/", name, "/log");
    if (access(path.c_str(), F_OK) == 0) return path;
    if (!machine.record.detached && !machine.record.terminal)
        return error(Errc::wrong_state,
                     cat("machine ", quoted(name),
                         " runs in the foreground: its output goes to the command that started it"));
    return error(Errc::not_found, cat("machine ", quoted(name), " has no log"));
}

std::vector<std::string> last_lines(const Paths& paths, std::string_view name, size_t count) {
    std::string text = read_or_empty(cat(paths.machines, "/", name, "/log"));
    std::vector<std::string> lines;
    for (const std::string& line : split(std::string_view(text).substr(tail_start(text, count)), '\n'))
        if (std::string_view shown = trim(line); !shown.empty()) lines.emplace_back(shown);
    return lines;
}

Result<> logs(const Paths& paths, std::string_view name, const LogOptions& options,
              const std::function<Result<>(std::string_view)>& sink) {
    std::string path = TRY(log_path(paths, name));
    Fd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (watch)
        inotify_add_watch(watch.get(), cat(paths.machines, "/", name).c_str(),
                          IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF);
    Fd file = TRY(open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_NOFOLLOW));
    std::string text = TRY(read_all(file.get(), log_limit).within("reading the log"));
    // The older half is read only when it is needed.
    if (!options.lines || tail_start(text, *options.lines) == 0) text = read_or_empty(path + ".1") + text;
    TRY(sink(options.lines ? std::string_view(text).substr(tail_start(text, *options.lines))
                           : std::string_view(text)));
    while (options.follow) {
        // Asked before the pump, so that what it wrote last is still shown.
        auto machine = find(paths, name);
        TRY(pump(file, path, sink));
        if (!machine || !machine->alive()) return {};
        pollfd watched = {watch.get(), POLLIN, 0};
        poll(&watched, 1, watch ? 1000 : 200);
        char events[4096];
        while (watch && read(watch.get(), events, sizeof events) > 0) {
        }
    }
    return {};
}

}  // namespace croft::manager
