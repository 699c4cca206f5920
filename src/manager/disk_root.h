// A machine's tree that is a disk image: what is in it and where it belongs. Called by prepare.cc and preview() before the
// host is asked for the rest, because what a plan depends on (its init, its users) is in the image.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "disk/discover.h"
#include "manager/disk_devices.h"
#include "manager/disk_look.h"
#include "manager/paths.h"
#include "spec/host_facts.h"
#include "spec/machine_spec.h"

namespace croft::manager {

// Something other than a directory is at this path: a regular file or a block device.
bool is_disk_image(const std::string& path);

struct DiskRoot {
    std::vector<spec::DiskVolume> volumes;
    std::vector<std::string> warnings;  // partitions that are passed over
    DiskLook look;
};

// What the image is, from its tables alone.
struct DiskContent {
    std::string image;                  // resolved path
    disk::Layout layout;
    bool writable = false;              // the image itself
    std::vector<DiskDevice> devices;    // that must be opened for some of its volumes
};
// `machine` is the name that devices get.
Result<DiskContent> read_disk(const Paths& paths, const spec::MachineSpec& spec, const std::string& machine);
// Mounts its root for looking at; its devices are open.
Result<DiskRoot> look_at_disk(const spec::MachineSpec& spec, const DiskContent& content);

}  // namespace croft::manager
