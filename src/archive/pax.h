// Extended headers of pax archives: "LENGTH KEYWORD=VALUE\n", before the entry that they are about ('x') or
// for all that follow ('g').
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "archive/entry.h"
#include "base/result.h"

namespace croft::archive {

constexpr size_t most_segments = 1 << 20;  // in the map of a sparse file
Error too_many_segments();

struct PaxRecords {
    std::map<std::string, std::string, std::less<>>
        values;                     // the last of a keyword; an empty value takes one back
    std::vector<Segment> segments;  // GNU.sparse.offset and numbytes, in order
};

// Adds the records of one extended header.
Result<> parse_pax(std::string_view text, PaxRecords& records);

// How a sparse file of a pax archive has its map.
enum class SparseForm { none, in_records, in_content };
// What the records say about an entry; later ones (of the entry) over earlier ones (global). `size` becomes
// the length of the content in the archive.
Result<SparseForm> apply_pax(const PaxRecords& global, const PaxRecords& own, Entry& entry);

}  // namespace croft::archive
