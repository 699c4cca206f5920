#include "base/text.h"
#include "cli/machine_text.h"
#include "cli/output.h"
#include "cli/sanitize.h"
#include "cli/verbs.h"
#include "manager/events.h"

namespace croft::cli {

namespace {
// One line each, because a program reads them as they come.
std::string event_json(const manager::EventRecord& event) {
    format::JsonWriter json(format::JsonStyle::compact);
    json.begin_object().member("time", event.time).member("machine", event.machine);
    json.member("event", manager::event_name(event.event)).member("detail", event.detail).key("leader");
    if (event.leader)
        json.value(event.leader);
    else
        json.null();
    json.end_object();
    return json.take() + "\n";
}

std::string event_line(const manager::EventRecord& event) {
    std::string detail = event.leader ? cat("leader ", event.leader) : event.detail;
    return cat(local_time(event.time), "  ", event.machine, "  ", manager::event_name(event.event),
               detail.empty() ? "" : "  ", Sanitizer().feed(detail), "\n");
}
}  // namespace

Result<int> verb_events(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    manager::Paths paths = TRY(manager::find_paths());
    manager::EventQuery query{args.has("--follow"), args.operands};
    bool json = args.has("--json");
    TRY(manager::read_events(paths, query, [&](const manager::EventRecord& event) {
        return print(json ? event_json(event) : event_line(event));
    }));
    return 0;
}

}  // namespace croft::cli
