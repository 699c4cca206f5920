// Collection: what nothing refers to goes. Referred to is what a name, a machine or a use (machine_roots.h) needs: manifests
// and the indexes they were chosen from, configurations, blobs, layers. Called by images/.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "store/store.h"

namespace croft::store {

enum class Collect { all, dry_run };
struct Collected {
    size_t blobs = 0, layers = 0, partial = 0, uses = 0;
    uint64_t blob_bytes = 0;
};
// Moves it to the trash; emptying that is the caller's, afterwards. `boot_id` is this boot's. Nothing when somebody
// imports, pulls or starts a machine just now. Where a file of the store cannot be read nothing is taken, and the error
// names it: what it refers to is not known.
Result<std::optional<Collected>> collect(const Store& store, std::string_view boot_id, Collect how);

}  // namespace croft::store
