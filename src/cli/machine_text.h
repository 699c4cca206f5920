// How a machine is told: its JSON, its words. Shared by list, show, wait, run and boot, so that a field has
// one name.
#pragma once

#include <string>

#include "format/json_writer.h"
#include "launch/outcome.h"
#include "manager/machines.h"

namespace croft::cli {

// Writes the members of an object; the caller has begun it.
void machine_members(format::JsonWriter& json, const manager::Machine& machine);
// An object.
void outcome_json(format::JsonWriter& json, const launch::Outcome& outcome);
const char* outcome_name(launch::Outcome::Kind kind);
const char* kind_name(const manager::Machine& machine);  // "app", "system"

// "2026-11-24 07:39:48" in the local zone; "-" for 0.
std::string local_time(uint64_t microseconds);
uint64_t now();  // µs since the epoch
// "1.2 s", "0.4 s", "2min 3s": how long something took.
std::string took(uint64_t microseconds);

}  // namespace croft::cli
