// --systemd-cgroup: the container's control group is that of a scope, which systemd makes and limits.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "launch/launch_plan.h"
#include "launch/unit_plan.h"
#include "manager/oci_containers.h"
#include "spec/machine_spec.h"

namespace croft::oci {

// cgroupsPath "SLICE:PREFIX:NAME": PREFIX-NAME.scope in SLICE.
struct ScopeName {
    std::string slice, unit;
};
// What is empty or left out: system.slice (of a user: user.slice), "croft-oci", the id.
Result<ScopeName> parse_scope(const std::string& path, const std::string& id, bool system);
// Where systemd puts it, below the group of the manager.
std::string scope_path(const ScopeName& name);

// The settings of a group for which systemd has properties; others are files that it leaves alone.
std::vector<std::pair<std::string, std::string>> unit_properties(const std::vector<launch::CgroupSetting>& settings);
// Annotations "org.systemd.property.NAME" are further properties.
Result<launch::UnitPlan> scope_plan(const ScopeName& name, const launch::LaunchPlan& plan,
                                    const manager::OciContainer& container);

}  // namespace croft::oci
