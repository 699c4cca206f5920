// Where events are kept: shared by those who write (events.cc) and those who read them (read_events.cc).
#pragma once

#include <string>

#include "base/text.h"
#include "manager/paths.h"

namespace croft::manager {

inline constexpr char journal_socket[] = "/run/systemd/journal/socket";
// At this size the file becomes "events.1", in the place of an older one.
inline constexpr long events_file_limit = 1 << 20;

inline std::string events_file(const Paths& paths) {
    return cat(paths.run, "/events");
}

}  // namespace croft::manager
