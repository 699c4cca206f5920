// A disk's bytes into a new file, without writing what is zero: so a raw image takes no more room than its content.
#pragma once

#include <cstdint>
#include <functional>

#include "disk/random_access.h"

namespace croft::disk {

// `file` is empty and open for writing; the disk is put at byte `at` of it, and it ends where the disk does. `progress` (if it
// is there) hears how many bytes of the disk are done, now and then and at the end; false stops the copy with an error.
Result<> sparse_copy(RandomAccess& disk, int file, const std::function<bool(uint64_t done)>& progress, uint64_t at = 0);

}  // namespace croft::disk
