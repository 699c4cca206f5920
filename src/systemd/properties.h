// Unit properties as text, the way a unit file has them, to the typed values that systemd1 wants over D-Bus. Called by
// supervisor.cc.
//
// Only what croft's own plans say and what is set often is typed here; for any other property there is `systemd-run`,
// which knows all of them (supervisor.cc).
#pragma once

#include <systemd/sd-bus.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace croft::systemd {

using Settings = std::vector<std::pair<std::string, std::string>>;

// True when each setting can be sent typed.
bool all_known(const Settings& settings);
// Appends settings as the (sv) of an open array a(sv). Settings of one name that is a list become one value. An error
// names the setting whose text makes no sense.
Result<> append_settings(sd_bus_message* message, const Settings& settings);

}  // namespace croft::systemd
