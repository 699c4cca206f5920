// Loop devices: a part of a file as a block device (loop(4)). Heap-free, as everything in kernel/raw.h.
//
// The device lives as long as somebody has it open, a mount included, and then detaches by itself (autoclear): so nothing is
// left of it however its maker ends.
#pragma once

#include <cstdint>

#include "kernel/raw.h"

namespace croft::kernel {

struct LoopWindow {
    uint64_t offset = 0, size = 0;  // bytes; size 0: to the file's end
    bool read_only = false;
};

// A free loop device over `file` (open for reading, and for writing unless read_only): its descriptor, or -errno. `name` is
// what losetup(8) shows of it.
long raw_attach_loop(long file, const LoopWindow& window, const char* name);
// N of /dev/loopN, or -errno.
long raw_loop_number(long device);

}  // namespace croft::kernel
