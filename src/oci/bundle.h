// From a bundle to a plan: config.json is read, this host is asked, and nothing is changed.
#pragma once

#include <string>

#include "base/result.h"
#include "launch/launch_plan.h"
#include "manager/oci_containers.h"
#include "oci/arguments.h"
#include "oci/container.h"
#include "spec/machine_spec.h"

namespace croft::oci {

struct BundleRequest {
    std::string id, directory, config = "config.json";
    bool new_keyring = true;
    bool wait_start = false;  // the payload waits for `start`
};

struct PlannedBundle {
    spec::MachineSpec spec;
    launch::LaunchPlan plan;
    std::string cgroup_root;
    manager::OciContainer record;  // what the bundle says of it
};

Result<PlannedBundle> plan_bundle(const Global& global, const Places& places, const BundleRequest& request);

}  // namespace croft::oci
