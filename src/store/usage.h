// How much of the disk the store's parts have, as du(1) counts: blocks, a file with several names once. Called by images/.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace croft::store {

// Bytes of what is below a name of the store, the name itself included; 0 when it is not there.
Result<uint64_t> disk_usage(const Store& store, const std::string& name);

}  // namespace croft::store
