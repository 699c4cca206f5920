// What is said about a machine that was just started. Shared by run, boot and start.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "manager/start.h"

namespace croft::cli {

uint64_t monotonic();  // µs
// An object in one line, because a program reads it.
std::string started_json(const manager::Started& started);
// "machine 'web' is up after 1.2 s". `has_terminal`: the machine has this terminal for its own.
void say_up(std::string_view name, uint64_t since, bool has_terminal);
// A detached machine that was to come up and did not: why, and what it said last.
Error ended_early(const manager::Started& started);

}  // namespace croft::cli
