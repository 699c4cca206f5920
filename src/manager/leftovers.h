// What machines left that were killed together with their keeper: records, processes, cgroups, throwaway
// files, marks. Called by doctor.cc.
#pragma once

#include <vector>

#include "base/result.h"
#include "manager/doctor.h"
#include "spec/host_facts.h"

namespace croft::manager {

// One finding for each; with Repair::yes it is cleared.
Result<std::vector<Finding>> find_leftovers(const Paths& paths, const spec::HostFacts& facts, Repair repair);

}  // namespace croft::manager
