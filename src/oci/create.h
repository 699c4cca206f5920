// Creating a container: `create`, and the first half of `run`. On failure nothing is left.
#pragma once

#include "base/result.h"
#include "oci/bundle.h"
#include "oci/container.h"
#include "run/launch.h"

namespace croft::oci {

struct CreateOptions {
    bool wait_start = false;  // the payload waits for `start`
    bool detached = true;     // false: this process stays, has the terminal and waits
};

struct Created {
    Container container;  // locked
    launch::LaunchPlan plan;
    run::Launched launched;
};
Result<Created> create_container(const Call& call, const Places& places, const CreateOptions& options);

}  // namespace croft::oci
