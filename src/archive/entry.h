// What an archive says about one file. A value.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace croft::archive {

enum class EntryType : uint8_t {
    file,
    directory,
    symlink,
    hardlink,
    character_device,
    block_device,
    fifo,
    other
};

// A stretch of a sparse file that is no hole.
struct Segment {
    uint64_t offset, length;
};

struct Entry {
    EntryType type = EntryType::file;
    std::string path;   // as in the archive: see names.h
    std::string link;   // of links
    uint32_t mode = 0;  // permission bits, with set-user-id, set-group-id and sticky
    uint32_t uid = 0, gid = 0;
    int64_t mtime = 0;
    uint32_t mtime_nsec = 0;
    uint32_t major = 0, minor = 0;
    uint64_t size = 0;    // of the file, holes included
    uint64_t stored = 0;  // of its content in the archive
    bool sparse = false;
    std::vector<Segment> segments;  // of sparse files: ascending, inside size, `stored` bytes altogether
    std::vector<std::pair<std::string, std::string>> attributes;  // extended attributes
    std::string access_acl, default_acl;                          // as text (acl.h)
    std::string comment;                                          // written only
};

}  // namespace croft::archive
