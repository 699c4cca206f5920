// The maps of sparse files, in the four forms that GNU tar has had (its manual, "Sparse Formats").
#include "archive/tar_reader.h"

#include "base/text.h"

namespace croft::archive {

namespace {

// Ascending, no overlaps, inside the file, and as long altogether as what is stored.
Result<> check_segments(const Entry& entry) {
    uint64_t end = 0, sum = 0;
    for (const Segment& segment : entry.segments) {
        uint64_t after = 0;
        if (segment.offset < end || __builtin_add_overflow(segment.offset, segment.length, &after) ||
            after > entry.size)
            return error(Errc::invalid,
                         "its sparse map is wrong: a part overlaps another one or ends behind the file");
        end = after;
        sum += segment.length;
    }
    if (sum != entry.stored)
        return error(Errc::invalid, cat("its sparse map is wrong: it tells of ", sum, " bytes, and ",
                                        entry.stored, " are stored"));
    return {};
}

}  // namespace

Result<> TarReader::read_sparse_map(SparseForm form, bool old_form, Entry& entry) {
    if (entry.type != EntryType::file || (form == SparseForm::none && !old_form)) {
        entry.segments.clear();
        return {};
    }
    entry.sparse = true;
    if (old_form)
        TRY(read_old_sparse(entry));
    else if (form == SparseForm::in_content)
        TRY(read_sparse_content(entry));
    return check_segments(entry);
}

// In the header, and in records behind it that are not counted in the size.
Result<> TarReader::read_old_sparse(Entry& entry) {
    TRY(parse_old_sparse(header_.subspan(sparse_header_offset, sparse_pairs_in_header * sparse_pair_size),
                         entry.segments));
    for (bool more = more_sparse_in_header(header_); more;) {
        auto bytes = TRY(record());
        TRY(parse_old_sparse(bytes.first(sparse_pairs_in_record * sparse_pair_size), entry.segments));
        if (entry.segments.size() > most_segments) return too_many_segments();
        more = more_sparse_in_record(bytes);
    }
    return {};
}

// Form 1.0: the content starts with decimal numbers, a line each, filled up to 512 bytes: how many parts,
// then offset and length of each.
Result<> TarReader::read_sparse_content(Entry& entry) {
    std::string rest;
    uint64_t count = TRY(read_sparse_number(rest));
    if (count > most_segments) return too_many_segments();
    for (uint64_t i = 0; i < count; ++i) {
        uint64_t offset = TRY(read_sparse_number(rest));
        uint64_t length = TRY(read_sparse_number(rest));
        if (length) entry.segments.push_back({offset, length});
    }
    entry.stored = left_;
    return {};
}

Result<uint64_t> TarReader::read_sparse_number(std::string& rest) {
    size_t end;
    while ((end = rest.find('\n')) == rest.npos) {
        if (left_ < BlockStream::record_size || rest.size() > BlockStream::record_size)
            return error(Errc::invalid, "its sparse map is damaged: a number has no end");
        auto bytes = TRY(record());
        rest.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        left_ -= bytes.size();
    }
    auto number = parse_uint(std::string_view(rest).substr(0, end));
    if (!number || *number > static_cast<uint64_t>(INT64_MAX))
        return error(Errc::invalid, "its sparse map is damaged: a number is none");
    rest.erase(0, end + 1);
    return *number;
}

}  // namespace croft::archive
