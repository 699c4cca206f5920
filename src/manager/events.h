// What happened to machines, for whoever wants to know: `croft events`, programs that follow the journal, an
// administrator the day after. Told by whoever changes a machine; nobody waits for it and nothing fails by
// it.
//
// On a host with journald an event is one structured entry (native protocol: CROFT_MACHINE=, CROFT_EVENT=, a
// MESSAGE_ID for each kind, see events.cc), so it is kept, forwarded and searched like any other. Elsewhere
// it is a line of JSON in RUN/events, which keeps the last mebibyte or two. A machine whose keeper is
// croft-hold has its lines "ready" and "exited" written by that (apps/hold), in the same form.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "launch/outcome.h"
#include "manager/paths.h"

namespace croft::manager {

enum class Event { prepared, started, ready, stopping, exited, rebooted, frozen, thawed, config };
const char* event_name(Event event);
std::optional<Event> event_named(std::string_view name);

struct EventRecord {
    std::string machine;
    Event event = Event::started;
    std::string detail;  // a phrase: "exited with status 3", "created"
    uint64_t time = 0;   // µs since the epoch; 0: now
    int leader = 0;      // of started
};

void tell_event(const Paths& paths, EventRecord event);
// As an entry of journald's native protocol.
std::string journal_entry(const EventRecord& event);

struct EventQuery {
    bool follow = false;                // after what has been, what comes, until the sink fails
    std::vector<std::string> machines;  // empty: all
};
// In the order of time. From the journal where there is one (by journalctl), else from RUN/events.
Result<> read_events(const Paths& paths, const EventQuery& query,
                     const std::function<Result<>(const EventRecord&)>& sink);

}  // namespace croft::manager
