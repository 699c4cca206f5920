// UnitPlan: what systemd shall do for one machine: the properties of its unit, by their names in
// systemd.service(5), systemd.resource-control(5), systemd.unit(5). Used by the manager and printed by `croft plan`.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace croft::launch {

struct UnitPlan {
    std::string name;                                          // "croft-web.service"
    std::vector<std::pair<std::string, std::string>> unit;     // [Unit]
    std::vector<std::pair<std::string, std::string>> service;  // [Service], with resource control
};

// As a unit file.
std::string to_unit_file(const UnitPlan& plan);
std::string to_json(const UnitPlan& plan);

}  // namespace croft::launch
