// A tree of files to a tar archive: pax interchange format (POSIX.1-2008), read by everybody.
//
// Reproducible: the same tree makes the same bytes. Names are sorted by their bytes, numbers are ustar's
// where they fit and pax records where not, users and groups have no names, and there is no time but that of
// the entries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/stream.h"

namespace croft::archive {

// What overlayfs marks with a character device 0:0 or an opaque attribute.
enum class UpperMarks {
    keep,       // nothing: the tree is no upper layer
    whiteouts,  // ".wh.NAME" and ".wh..wh..opq", as layers of images have them
};

struct PackOptions {
    UpperMarks marks = UpperMarks::keep;
    std::optional<int64_t> latest_time;  // entries that are younger get this time (SOURCE_DATE_EPOCH)
    bool whole_seconds = false;          // no fractions of seconds, as layers of images usually have
    bool ownership = true;               // false: everything is root's
    // Ids as the tree has them to ids as the archive shall: the first entry that has the id counts, and one
    // that none has is an error. None: as they are.
    struct IdRange {
        uint32_t inside, outside, count;  // archive's, tree's
    };
    std::vector<IdRange> uids, gids;
    std::vector<std::string> leave_out;  // paths from the top ("proc/mounts"), with everything below
};

struct Packed {
    uint64_t archive_bytes = 0;  // of the archive
    uint64_t entries = 0;
    uint64_t sockets_left = 0;  // sockets: no archive holds one
};

// `tree` is an open directory; `to` is finished. A file that changes its length meanwhile is an error that
// names it.
Result<Packed> pack(int tree, Sink& to, const PackOptions& options = {});

}  // namespace croft::archive
