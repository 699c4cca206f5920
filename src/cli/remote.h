// The same command line for those who are not root: with --system (or CROFT_SCOPE=system) a verb about
// machines is not done in this process but by croftd, which asks polkit. Called by command_line.cc; the
// dynamic program says how.
//
// croft itself is static and small and knows no D-Bus: it becomes croft-systemd (same words, same verbs),
// which has libsystemd.
#pragma once

#include <span>

#include "base/result.h"
#include "cli/verbs.h"

namespace croft::cli {

// --system was given.
void ask_for_system();
// The caller asks for the system's machines and is not root, and the verb is about machines.
bool goes_over_bus(const Verb& verb);
// Does it where set_over_bus() has been told how; otherwise becomes croft-systemd. `all` is argv.
Result<int> run_over_bus(const Verb& verb, std::span<char* const> arguments, std::span<char* const> all);

// Whether this is the program that has been told how.
bool knows_bus();

using OverBus = Result<int> (*)(const Verb& verb, std::span<char* const> arguments);
void set_over_bus(OverBus way);

}  // namespace croft::cli
