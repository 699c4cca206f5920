// Manager.Verify: what `croft verify --json` has found, as the method's answer. The looking is a job's, because croftd's own
// unit may do so little that it would judge otherwise than a start does. Called by manager_object.cc.
#pragma once

#include <string_view>

#include "bus/requests.h"

namespace croft::bus {

// (as names): none are all declared machines.
Result<Asked> read_verify(sd_bus_message* call);
// a(ssuss)
Result<> append_findings(sd_bus_message* reply, std::string_view json);

}  // namespace croft::bus
