// Roots of machines: which layers a machine stands on, and what it has written itself. Called by images/ and manager/.
//
// machines/NAME has a machine's own upper, which stays until the machine is removed. uses/NAME says the same of a machine
// that runs on a throwaway upper: it is scratch space, removed when the machine ends, and one that a crash left is of
// another boot, or of no machine, and is collected.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "image/digest.h"
#include "store/store.h"

namespace croft::store {

// The file that says it, in machines/NAME and uses/NAME.
inline constexpr const char* machine_record = "machine.json";

struct MachineRoot {
    std::string name;
    std::string image;                      // the name of the image at that time
    std::optional<image::Digest> manifest;  // none: made from something else
    std::vector<std::string> layers;        // ids, the lowest first
    uint64_t made = 0;                      // seconds since the epoch
};

// Nothing when the machine has no root in the store.
Result<std::optional<MachineRoot>> find_machine_root(const Store& store, std::string_view name);
Result<std::vector<MachineRoot>> machine_roots(const Store& store);
// Absolute: the directory that has upper/ and work/ in it.
std::string machine_directory(const Store& store, std::string_view name);

// exists, with what to do, where there is one.
Result<> check_no_root(const Store& store, const std::string& name);
// machines/NAME with an empty upper, made under another name: it is put in its place when `group` is flushed. All layers
// must be there; their ids are checked. Without put() nothing stays of it.
class NewMachineRoot {
  public:
    // exists when the machine has a root.
    static Result<NewMachineRoot> make(const Store& store, const MachineRoot& root, SyncGroup& group);
    NewMachineRoot(NewMachineRoot&& other) noexcept
        : store_(other.store_), fresh_(std::exchange(other.fresh_, "")), name_(std::move(other.name_)) {}
    NewMachineRoot& operator=(NewMachineRoot&&) = delete;
    ~NewMachineRoot();
    // Absolute, where it is until put(): upper/ and work/ are in it.
    std::string directory() const { return store_->at(fresh_); }
    // exists when the machine has got a root meanwhile. It lasts when `group` is flushed.
    Result<> put(SyncGroup& group);

  private:
    NewMachineRoot(const Store& store, std::string fresh, std::string name)
        : store_(&store), fresh_(std::move(fresh)), name_(std::move(name)) {}
    const Store* store_;
    std::string fresh_, name_;
};
// All of that, durably.
Result<> make_machine_root(const Store& store, const MachineRoot& root);
// Replaces what the machine stands on; its upper stays as it is.
Result<> write_machine_root(const Store& store, const MachineRoot& root);
// With its snapshots; what is not there needs no new name. The root comes last.
Result<> rename_machine_root(const Store& store, const std::string& from, const std::string& to);
// Into the trash, at once.
Result<> remove_machine_root(const Store& store, std::string_view name);

// Makes the machine's upper a layer that never changes any more, and gives the machine an empty one: then others can stand
// on the same. An upper with nothing in it is left. The machine must not run. Its root as it is from now on,
// and durably so when `group` is flushed.
Result<MachineRoot> seal(const Store& store, const std::string& name, SyncGroup& group);

// Puts the machine on other layers with another upper, in one step: what it had written is gone afterwards (sealed layers
// apart). `fill` is given the new directory, which has an empty upper/ and work/, to put there what shall stay; its error
// leaves everything as it was. The machine must not run.
Result<> replace_machine_root(const Store& store, const MachineRoot& root,
                              const std::function<Result<>(const std::string& directory)>& fill = {});

// Snapshots: on what a machine stood when its upper was sealed. `snapshot` is a machine's name in its letters.
Result<> write_snapshot(const Store& store, const MachineRoot& root, const std::string& snapshot);
Result<std::optional<MachineRoot>> find_snapshot(const Store& store, std::string_view name, std::string_view snapshot);
Result<> remove_snapshot(const Store& store, std::string_view name, std::string_view snapshot);
// Of one machine, or of all with ""; oldest first. A snapshot's name is `name` behind the '@'.
Result<std::vector<MachineRoot>> snapshots(const Store& store, std::string_view name);

// Of a machine on a throwaway upper: uses/NAME (made by who prepares the start) says what it stands on.
std::string use_directory(const Store& store, std::string_view name);
Result<> write_use(const Store& store, const MachineRoot& root, std::string_view boot_id);
// Those of this boot.
Result<std::vector<MachineRoot>> uses(const Store& store, std::string_view boot_id);

}  // namespace croft::store
