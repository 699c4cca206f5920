// What a container is, as runtime-spec's "State" has it: for `state`, `list` and the standard input of hooks.
#pragma once

#include <string>

#include "format/json_writer.h"
#include "oci/container.h"

namespace croft::oci {

// An object with the specification's members and those that engines know from others (rootfs, created, owner).
void write_state(format::JsonWriter& json, const manager::OciContainer& container);
// Of the specification alone, in one line: what a hook reads.
std::string hook_state(const manager::OciContainer& container, std::string_view status);
// runtime-spec's "Container Process State": what goes with a filter's descriptor to its listener.
std::string listener_state(pid_t pid, std::string_view metadata, std::string_view container_state);
// RFC 3339 in UTC, of µs since the epoch.
std::string time_text(uint64_t microseconds);
// The name of a user of this host, or its number.
std::string user_text(uint32_t uid);

}  // namespace croft::oci
