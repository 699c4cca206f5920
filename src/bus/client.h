// The command line's end of org.croft.Croft1.Manager.Command: a verb is done by croftd with this process's
// standard streams, and this process waits, passes signals on and ends with the same status. Called by
// apps/croft_systemd.cc.
//
// What the caller sees is what it would see as root in-process: the very same command runs, on the caller's
// own descriptors (a terminal too). When croftd is killed meanwhile, the job goes on, and the next croftd is
// asked about it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/verbs.h"

namespace croft::bus {

Result<int> run_over_bus(const cli::Verb& verb, std::span<char* const> arguments);

// "--env=NAME" means the caller's value, which only the caller knows: NAME=VALUE, or left out where it has
// none.
std::vector<std::string> with_own_variables(std::vector<std::string> words);

}  // namespace croft::bus
