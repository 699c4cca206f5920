// Machines whose tree is a disk image: its file systems as steps. Only for plan_root.cc.
#pragma once

#include "plan/draft.h"

namespace croft::plan {

struct VolumeOptions {
    bool read_only = false;  // nothing is written to the image, not even to put a file system in order
};

// A detached mount of one of the image's file systems, with the machine's id map.
launch::Slot open_volume(Draft& d, const spec::DiskVolume& volume, VolumeOptions options);

// The volume that belongs at this path inside; nullptr: none.
const spec::DiskVolume* volume_at(const Draft& d, std::string_view target);

// Those beside the root, attached where they belong: writable, read-only, or with a throwaway layer over each, as the root is.
Result<> attach_volumes(Draft& d);

}  // namespace croft::plan
