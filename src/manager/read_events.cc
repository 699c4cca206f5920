// Reading events: the two files of RUN, or the journal through journalctl, which every host with a journal
// has.
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

#include "base/fd.h"
#include "base/text.h"
#include "format/json_read.h"
#include "manager/event_places.h"
#include "manager/events.h"
#include "manager/journalctl.h"

namespace croft::manager {
namespace {

using Sink = std::function<Result<>(const EventRecord&)>;

std::string text_member(format::Json json, const char* key) {
    auto found = format::json_member(json, key);
    return found && found->kind() == format::JsonKind::string ? std::string(found->text()) : "";
}

// The journal has numbers as strings.
int64_t number_member(format::Json json, const char* key) {
    auto found = format::json_member(json, key);
    return found ? parse_int(found->text()).value_or(0) : 0;
}

// croft-hold has no words for an end, only its numbers.
std::string end_text(format::Json json) {
    if (!json.member("code")) return "";
    return launch::describe(launch::outcome_from_wait(static_cast<int>(number_member(json, "code")),
                                                      static_cast<int>(number_member(json, "status")),
                                                      number_member(json, "boot") != 0));
}

std::optional<EventRecord> from_file(std::string_view line) {
    auto document = format::JsonDocument::parse(line);
    if (!document) return std::nullopt;  // half a line, after a crash
    format::Json json = document->root();
    auto event = event_named(text_member(json, "event"));
    if (!event) return std::nullopt;  // of a newer croft
    EventRecord out{text_member(json, "machine"), *event, text_member(json, "detail")};
    if (out.detail.empty()) out.detail = end_text(json);
    out.time = static_cast<uint64_t>(number_member(json, "time"));
    out.leader = static_cast<int>(number_member(json, "leader"));
    return out;
}

std::optional<EventRecord> from_journal(std::string_view line) {
    auto document = format::JsonDocument::parse(line);
    if (!document) return std::nullopt;
    format::Json json = document->root();
    auto event = event_named(text_member(json, "CROFT_EVENT"));
    if (!event) return std::nullopt;
    EventRecord out{text_member(json, "CROFT_MACHINE"), *event, text_member(json, "CROFT_DETAIL")};
    out.time = static_cast<uint64_t>(number_member(json, "_SOURCE_REALTIME_TIMESTAMP"));
    if (!out.time) out.time = static_cast<uint64_t>(number_member(json, "__REALTIME_TIMESTAMP"));
    out.leader = static_cast<int>(number_member(json, "CROFT_LEADER"));
    return out;
}

// Whole lines of a stream, as they come.
class Lines {
  public:
    Lines(std::optional<EventRecord> (*parse)(std::string_view), const EventQuery& query, const Sink& sink)
        : parse_(parse), query_(query), sink_(sink) {}

    Result<> take(std::string_view bytes) {
        rest_ += bytes;
        size_t end;
        while ((end = rest_.find('\n')) != rest_.npos) {
            auto event = parse_(std::string_view(rest_).substr(0, end));
            rest_.erase(0, end + 1);
            if (event && wanted(*event)) TRY(sink_(*event));
        }
        return {};
    }

    // All that can be read now; false at the end of a pipe.
    Result<bool> drain(int fd) {
        char buffer[16384];
        ssize_t n;
        while ((n = read(fd, buffer, sizeof buffer)) > 0) TRY(take({buffer, static_cast<size_t>(n)}));
        return n == 0 ? false : true;
    }

  private:
    bool wanted(const EventRecord& event) const {
        return query_.machines.empty() ||
               std::ranges::find(query_.machines, event.machine) != query_.machines.end();
    }
    std::optional<EventRecord> (*parse_)(std::string_view);
    const EventQuery& query_;
    const Sink& sink_;
    std::string rest_;
};

Fd open_events(const std::string& path) {
    return Fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

// The file grows, or becomes events.1 and a new one begins: then the rest of the old one comes first.
Result<> follow_file(const Paths& paths, Fd file, Lines& lines) {
    Fd changes(inotify_init1(IN_CLOEXEC));
    if (!changes ||
        inotify_add_watch(changes.get(), paths.run.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
        return os_error(errno, cat("watching ", croft::quoted(paths.run)));
    for (;;) {
        if (file) TRY(lines.drain(file.get()));
        struct stat mine = {}, now = {};
        bool is_there = stat(events_file(paths).c_str(), &now) == 0;
        if (is_there && (!file || (fstat(file.get(), &mine) == 0 && mine.st_ino != now.st_ino))) {
            file = open_events(events_file(paths));
            continue;
        }
        char events[4096];
        if (read(changes.get(), events, sizeof events) < 0 && errno != EINTR)
            return os_error(errno, "waiting for events");
    }
}

Result<> read_files(const Paths& paths, const EventQuery& query, const Sink& sink) {
    Lines lines(from_file, query, sink);
    if (Fd old = open_events(events_file(paths) + ".1")) TRY(lines.drain(old.get()));
    Fd file = open_events(events_file(paths));
    if (query.follow) return follow_file(paths, std::move(file), lines);
    if (file) TRY(lines.drain(file.get()));
    return {};
}

// Only what this system's root, or this user, has told: anybody may write to the journal.
std::vector<std::string> journal_command(const Paths& paths, const EventQuery& query) {
    std::vector<std::string> words = {"--output=json", "--all"};
    if (query.follow) words.insert(words.end(), {"--follow", "--no-tail"});
    words.push_back("SYSLOG_IDENTIFIER=croft");
    words.push_back(cat("_UID=", paths.system ? 0 : getuid()));
    for (const std::string& machine : query.machines) words.push_back(cat("CROFT_MACHINE=", machine));
    return words;
}

Result<> read_journal(const Paths& paths, const EventQuery& query, const Sink& sink) {
    Lines lines(from_journal, query, sink);
    return journalctl(journal_command(paths, query), [&](std::string_view bytes) { return lines.take(bytes); });
}

}  // namespace

Result<> read_events(const Paths& paths, const EventQuery& query, const Sink& sink) {
    if (access(journal_socket, F_OK) == 0) return read_journal(paths, query, sink);
    return read_files(paths, query, sink);
}

}  // namespace croft::manager
