// The 512 bytes before each entry of a tar archive (POSIX.1-2008 "pax", ustar; GNU tar's and star's own
// forms).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "archive/entry.h"
#include "base/result.h"

namespace croft::archive {

struct TarHeader {
    char kind;        // typeflag: '0' …
    uint64_t size;    // what it says of its content's length
    Entry entry;      // path, link, numbers; type, size and stored as the typeflag and size have them
    bool old_sparse;  // GNU's 'S': segments are in here and perhaps in further records
};

bool is_zero_record(std::span<const std::byte> record);
// None when the checksum is wrong: this is no header.
Result<std::optional<TarHeader>> parse_tar_header(std::span<const std::byte> record);

// Octal digits, or GNU's binary form (the first bit set). A field that is empty is 0.
Result<int64_t> parse_tar_number(std::span<const std::byte> field, std::string_view name);

// GNU's old sparse map: `count` pairs of 12 byte numbers. Pairs with nothing in them are left out.
Result<> parse_old_sparse(std::span<const std::byte> pairs, std::vector<Segment>& segments);
// Whether a record of further pairs follows; in the header, in such a record.
bool more_sparse_in_header(std::span<const std::byte> record);
bool more_sparse_in_record(std::span<const std::byte> record);
constexpr size_t sparse_pairs_in_header = 4, sparse_header_offset = 386;
constexpr size_t sparse_pairs_in_record = 21, sparse_pair_size = 24;

}  // namespace croft::archive
