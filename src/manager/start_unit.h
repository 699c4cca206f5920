// The life of a machine that is a unit of systemd, as the command that starts it sees it: in the background, with its
// terminal here, or with its streams here. Called by start.cc.
#pragma once

#include "base/result.h"
#include "manager/prepare.h"
#include "manager/start.h"
#include "spec/machine_spec.h"

namespace croft::manager {

Result<Started> start_as_unit(const Paths& paths, Prepared machine, const spec::MachineSpec& spec,
                              const StartOptions& options);

}  // namespace croft::manager
