#include "manager/events.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/fd.h"
#include "base/text.h"
#include "format/json_writer.h"
#include "manager/event_places.h"
#include "manager/leader.h"

namespace croft::manager {
namespace {

// Each kind of entry has a number of its own, for `journalctl MESSAGE_ID=`; never reused for another meaning.
struct Row {
    Event event;
    const char *name, *message_id, *text;
};
constexpr Row rows[] = {
    {Event::prepared, "prepared", "6f0e3c1f8a5b4f0f9d0c1a7be35d2c01", "is ready to be started"},
    {Event::started, "started", "6f0e3c1f8a5b4f0f9d0c1a7be35d2c02", "has been started"},
    {Event::ready, "ready", "6f0e3c1f8a5b4f0f9d0c1a7be35d2c03", "is up"},
    {Event::stopping, "stopping", "6f0e3c1f8a5b4f0f9d0c1a7be35d2c04", "is asked to end"},
    {Event::exited, "exited", "6f0e3c1f8a5b4f0f9d0c1a7be35d2c05", "has ended"},
    {Event::rebooted, "rebooted", "6f0e3c1f8a5b4f0f9d0c1a7be35d2c06", "reboots"},
    {Event::frozen, "frozen", "6f0e3c1f8a5b4f0f9d0c1a7be35d2c07", "is paused"},
    {Event::thawed, "thawed", "6f0e3c1f8a5b4f0f9d0c1a7be35d2c08", "goes on"},
    {Event::config, "config", "6f0e3c1f8a5b4f0f9d0c1a7be35d2c09", "is declared otherwise"},
};

const Row& row_of(Event event) {
    return rows[static_cast<size_t>(event)];
}

// FIELD=value, or with a length before it when the value has more lines (journald's native protocol).
void add_field(std::string& out, std::string_view field, std::string_view value) {
    if (value.find('\n') == value.npos) {
        out += cat(field, "=", value, "\n");
        return;
    }
    out += cat(field, "\n");
    uint64_t size = value.size();
    for (int i = 0; i < 8; ++i, size >>= 8) out += static_cast<char>(size & 0xff);
    out += cat(value, "\n");
}

bool send_to_journal(const std::string& entry) {
    Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return false;
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, journal_socket, sizeof journal_socket);
    // A journal that does not read must not stop a machine.
    return sendto(socket.get(), entry.data(), entry.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                  reinterpret_cast<sockaddr*>(&address), sizeof address) >= 0;
}

std::string line_of(const EventRecord& event) {
    format::JsonWriter json(format::JsonStyle::compact);
    json.begin_object().member("time", event.time).member("machine", event.machine);
    json.member("event", event_name(event.event));
    if (!event.detail.empty()) json.member("detail", event.detail);
    if (event.leader) json.member("leader", event.leader);
    json.end_object();
    return json.take() + "\n";
}

// One write for one line, so that lines of several commands never mix.
void append_to_file(const Paths& paths, const std::string& line) {
    std::string path = events_file(paths);
    auto open_it = [&] {
        return Fd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644));
    };
    Fd file = open_it();
    // Before the first machine of this boot there is no run directory.
    if (!file && errno == ENOENT && open_machines(paths)) file = open_it();
    struct stat st = {};
    if (!file || fstat(file.get(), &st) < 0) return;
    if (st.st_size > events_file_limit) {
        ::rename(path.c_str(), (path + ".1").c_str());
        file = open_it();
    }
    if (file) (void)write_all(file.get(), line);
}

}  // namespace

const char* event_name(Event event) {
    return row_of(event).name;
}

std::optional<Event> event_named(std::string_view name) {
    for (const Row& row : rows)
        if (name == row.name) return row.event;
    return std::nullopt;
}

std::string journal_entry(const EventRecord& event) {
    const Row& row = row_of(event.event);
    std::string detail = event.detail.empty() ? "" : cat(": ", event.detail);
    std::string out;
    add_field(out, "MESSAGE", cat("machine ", event.machine, " ", row.text, detail));
    add_field(out, "MESSAGE_ID", row.message_id);
    add_field(out, "PRIORITY", "6");
    add_field(out, "SYSLOG_IDENTIFIER", "croft");
    add_field(out, "CROFT_MACHINE", event.machine);
    add_field(out, "CROFT_EVENT", row.name);
    if (!event.detail.empty()) add_field(out, "CROFT_DETAIL", event.detail);
    if (event.leader) add_field(out, "CROFT_LEADER", cat(event.leader));
    return out;
}

void tell_event(const Paths& paths, EventRecord event) {
    if (!event.time) event.time = realtime_now();
    if (send_to_journal(journal_entry(event))) return;
    append_to_file(paths, line_of(event));
}

}  // namespace croft::manager
