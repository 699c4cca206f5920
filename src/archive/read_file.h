// What an archive can say about a file that is there: the reading half of metadata.h.
#pragma once

#include <sys/stat.h>

#include "archive/entry.h"
#include "base/result.h"

namespace croft::archive {

// Type, mode, owner, time, size and device numbers. False for what no archive holds: sockets.
bool describe(const struct stat& file, Entry& entry);
// Attributes and ACLs of an open file or directory, sorted by name. What only overlayfs or the host's policy
// is about is left out.
Result<> read_attributes(int fd, Entry& entry);
// overlayfs' marks of a directory in an upper layer.
struct OverlayMarks {
    bool opaque = false;
    bool redirected = false;  // it shows another directory's content: no archive can say that
};
Result<OverlayMarks> read_overlay_marks(int fd);
// The stretches of a file that are no holes, where there are enough holes to be worth it.
Result<> find_segments(int fd, const struct stat& file, Entry& entry);

}  // namespace croft::archive
