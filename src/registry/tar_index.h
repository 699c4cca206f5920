// Where the files of a tar archive lie in it: what random access to an archive needs. It reads what ustar, pax and GNU tar
// write, as far as archives of images have it; for unpacking trees there is archive/unpack.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"

namespace croft::registry {

struct TarEntry {
    uint64_t offset = 0, size = 0;  // of the content, in bytes
    std::string link;               // another entry in whose place it stands; "" of files
};

using TarIndex = std::map<std::string, TarEntry>;

// At most this many files, which is more than any image has.
inline constexpr size_t most_tar_entries = 65536;

// `path` is for messages. Names lose a leading "./"; of two entries with one name the last counts.
Result<TarIndex> read_tar_index(int fd, const std::string& path);

}  // namespace croft::registry
