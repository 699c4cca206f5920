// A disk image's file systems mounted for looking at: read-only, with nothing put in order, in a mount namespace of a process
// that is there for nothing else. Called by disk_root.cc.
//
// Nothing of it is seen by anybody else, and when that process ends, which it does with its maker, the mounts and their loop
// devices are gone.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "spec/host_facts.h"

namespace croft::manager {

class DiskLook {
  public:
    // `image` has the volumes; of them the root and /usr are mounted.
    static Result<DiskLook> open(const std::string& image, const std::vector<spec::DiskVolume>& volumes);
    DiskLook() = default;
    DiskLook(DiskLook&& other) noexcept = default;
    DiskLook& operator=(DiskLook&&) = delete;
    ~DiskLook();

    int root() const { return root_.get(); }
    bool maps_ids() const { return maps_ids_; }  // the kernel takes an id map on the root's file system

  private:
    Fd root_, gate_;  // the process ends when the gate is closed
    Fd process_;
    bool maps_ids_ = false;
};

}  // namespace croft::manager
