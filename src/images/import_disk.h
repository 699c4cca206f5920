// `croft image import raw:FILE NAME`: a disk image, raw or qcow2, becomes /var/lib/machines/NAME.raw.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "manager/paths.h"

namespace croft::images {

struct DiskImport {
    std::string file;        // host path
    std::string shown;       // in errors; "": the path
    std::string name;        // of the machine that it will be
    bool backing = false;    // a qcow2 image may lead to other files, which it names
    std::function<bool(uint64_t done, uint64_t size)> progress;  // bytes of the disk; false stops it, and nothing is left
};
struct ImportedDisk {
    std::string path;                  // of the raw image
    uint64_t size = 0;                 // bytes of the disk
    std::vector<std::string> remarks;  // for people: partitions that a machine will not have
};
// Refused is what could not be a machine's root (disk/discover.h).
Result<ImportedDisk> import_disk(const manager::Paths& paths, const DiskImport& wanted);

}  // namespace croft::images
