// The root that a declared machine has in the store, taken for a change: nobody runs on it meanwhile, and collection waits.
// Only for root_*.cc.
#pragma once

#include <string>

#include "base/result.h"
#include "kernel/overlay.h"
#include "manager/states.h"
#include "manager/tree_lock.h"
#include "store/machine_roots.h"

namespace croft::manager {

class OwnRoot {
  public:
    // `verb` is looked up in the table of states.cc. unsupported for a machine on a plain tree; wrong_state for one that has
    // never been started and so has nothing yet. `lock`: exclusive for what changes it.
    static Result<OwnRoot> take(const Paths& paths, const std::string& name, const char* verb);
    OwnRoot(OwnRoot&&) = default;
    OwnRoot& operator=(OwnRoot&&) = delete;
    ~OwnRoot() { unlock_tree(std::move(lock_)); }

    const store::Store& store() const { return store_; }
    const store::MachineRoot& root() const { return root_; }
    const Machine& machine() const { return machine_; }
    // All of it as it is now, read only.
    Result<Fd> view() const;

  private:
    OwnRoot(Machine machine, store::Store store, store::MachineRoot root)
        : machine_(std::move(machine)), store_(std::move(store)), root_(std::move(root)) {}
    Machine machine_;
    store::Store store_;
    store::MachineRoot root_;
    Fd hold_;
    TreeLock lock_;
};

kernel::OverlayNotes overlay_notes();

}  // namespace croft::manager
