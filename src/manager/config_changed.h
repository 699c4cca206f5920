// What follows a change of what is declared: it is told as an event, and systemd makes its units anew. Called
// by create.cc and change.cc.
#pragma once

#include <string>
#include <vector>

#include "manager/paths.h"

namespace croft::manager {

// Never fails: what is declared has changed already. Where systemd could not be told, a warning says so.
void config_changed(const Paths& paths, const std::string& name, const std::string& how);

// Have the units that croft-generator made the state of these files? (mtimes; no: systemd has to read them
// again)
bool unit_is_current(const std::string& name, const std::vector<std::string>& files);
// Has the generator made a unit for it at all, or is it not installed?
bool unit_is_generated(const std::string& name);

}  // namespace croft::manager
