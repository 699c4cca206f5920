// A tree or disk image that comes to be in /var/lib/machines. It grows beside its place under another name, which is marked as
// incomplete (manager/install_mark.h), so what has its name is always whole. Called by what imports and bootstraps.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "manager/paths.h"

namespace croft::images {

class NewMachineTree {
  public:
    // `suffix`: ".raw" for a disk image, "" for a directory. exists: there is a tree or image of that name already, or it is
    // being made by another command just now. What an interrupted one left is removed.
    static Result<NewMachineTree> begin(const manager::Paths& paths, const std::string& name, const char* suffix);
    NewMachineTree(NewMachineTree&& other) noexcept = default;
    NewMachineTree& operator=(NewMachineTree&&) = delete;
    // Without finish(): nothing is left.
    ~NewMachineTree();

    const std::string& partial() const { return partial_; }  // where it grows: nothing is there yet
    const std::string& target() const { return target_; }
    // On disk, and under its name.
    Result<> finish();

  private:
    NewMachineTree() = default;
    manager::Paths paths_;
    std::string name_, partial_, target_;
    Fd mark_;  // locked while this lives
};

}  // namespace croft::images
