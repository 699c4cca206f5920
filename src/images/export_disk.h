// `croft image export --format=raw NAME FILE`: a tree as a disk image that croft, systemd-nspawn and virtual machines mount. The
// file system is made by its own tool (mke2fs, mkfs.erofs, mksquashfs), without mounting anything.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace croft::images {

struct DiskExport {
    std::string tree;           // host path of a directory; nobody writes it meanwhile
    std::string file;           // must not exist; there only when it is whole
    std::string type = "ext4";  // "ext4", "erofs", "squashfs"
    bool partitioned = false;   // with a GPT around it, whose one partition is a root by its type; else the file system alone
    uint64_t size = 0;          // bytes, of ext4; 0: what the tree needs and a third more
};
Result<> export_disk(const DiskExport& wanted);

}  // namespace croft::images
