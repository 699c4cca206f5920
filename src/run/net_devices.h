// Network devices that are moved into a machine (runtime-spec "Network Devices"). Called by launch().
#pragma once

#include <sys/types.h>

#include <vector>

#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

// Moves each into the network namespace of the process, with its new name ("%d" in it is for the kernel to
// fill in) and its permanent global addresses, and brings it up. A name that is taken there is an error. When
// the namespace ends, the kernel gives hardware back to the host and ends what is virtual.
Result<> move_net_devices(const std::vector<launch::NetDevice>& devices, pid_t pid);

}  // namespace croft::run
