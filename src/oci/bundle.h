// From a bundle to a plan: config.json is read, this host is asked, and nothing is changed.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "launch/launch_plan.h"
#include "manager/oci_containers.h"
#include "oci/arguments.h"
#include "oci/container.h"
#include "oci/scope.h"
#include "spec/host_facts.h"
#include "spec/machine_spec.h"

namespace croft::oci {

struct BundleRequest {
    std::string id, directory, config = "config.json";
    bool new_keyring = true;
    bool wait_start = false;  // the payload waits for `start`
};

struct PlannedBundle {
    spec::MachineSpec spec;
    spec::HostFacts facts;
    launch::LaunchPlan plan;
    std::optional<ScopeName> scope;  // systemd makes its control group
    manager::OciContainer record;    // what the bundle says of it
};

Result<PlannedBundle> plan_bundle(const Global& global, const Places& places, const BundleRequest& request);
// The scope is there, with this group below the cgroup2 mount: the plan anew where it was expected elsewhere.
Result<> use_scope(PlannedBundle& bundle, const std::string& group);

}  // namespace croft::oci
