// A disk image by its path, whatever format it has: raw, or qcow2. Called by manager/ for machines that run on one (which
// must be raw, because a loop device takes nothing else) and by images/ for import.
#pragma once

#include <memory>
#include <string>

#include "disk/qcow2.h"
#include "disk/random_access.h"

namespace croft::disk {

enum class Format { raw, qcow2 };
struct OpenedDisk {
    Format format = Format::raw;
    std::unique_ptr<RandomAccess> bytes;  // as a machine would see the disk
};

struct OpenOptions {
    decltype(Qcow2Options::unpack) unpack;
    bool backing = false;  // a qcow2 image may lead to other files, which it names
};

// Takes a regular file or a block device. A backing file is looked for beside the image that names it.
Result<OpenedDisk> open_disk(const std::string& path, const OpenOptions& options);

// Raw alone; unsupported tells how to make a raw image of what it is.
Result<std::unique_ptr<RandomAccess>> open_raw(const std::string& path);

}  // namespace croft::disk
