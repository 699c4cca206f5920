// Machines' roots in the store as wholes: clone, snapshot, restore, rebuild, and what a machine has changed. Called by cli/.
//
// None of them copies what is shared. What a stopped machine has written becomes a layer that never changes any more
// (store::seal()), on which it and its clones and snapshots stand with uppers of their own; so they cost the same however
// large the machine is.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "manager/create.h"
#include "manager/paths.h"

namespace croft::manager {

enum class Identity { fresh, same };
// A machine TO like FROM, with its configuration and all its files; with a fresh identity (identity.h) unless the same one is
// asked for. A running one is frozen for the moment in which what it has written is copied. A machine on a plain tree gets a
// copy of that in /var/lib/machines. `watch` is of such a copy.
Result<Cloned> clone_machine(const Paths& paths, const std::string& from, const std::string& to, Identity identity,
                             const TreeWatch& watch = {});

// unsupported for a machine on a plain tree.
Result<> snapshot_machine(const Paths& paths, const std::string& name, const std::string& snapshot);
Result<> restore_machine(const Paths& paths, const std::string& name, const std::string& snapshot);
Result<> remove_machine_snapshot(const Paths& paths, const std::string& name, const std::string& snapshot);
struct Snapshot {
    std::string name, image;
    uint64_t made = 0;  // seconds since the epoch
};
Result<std::vector<Snapshot>> machine_snapshots(const Paths& paths, const std::string& name);

// The machine anew from `image` (empty: from the one of that name as it is now). Its configuration stays, and of its files
// what is below `keep` (paths inside) and the image's volumes.
Result<> rebuild_machine(const Paths& paths, const std::string& name, const std::string& image,
                         const std::vector<std::string>& keep);

// What a machine has changed against its image, in the order of paths.
enum class Change { added, changed, removed };
struct ChangedPath {
    Change change;
    std::string path;  // absolute inside
};
Result<std::vector<ChangedPath>> changed_paths(const Paths& paths, const std::string& name);

}  // namespace croft::manager
