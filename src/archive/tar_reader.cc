#include "archive/tar_reader.h"

#include <algorithm>

#include "archive/names.h"
#include "base/text.h"

namespace croft::archive {

namespace {

using Bytes = std::span<const std::byte>;

// Of an extended header: attributes have 64 KiB at most, and a long list of sparse segments has room.
constexpr uint64_t largest_text = 16 << 20;

uint64_t padding_of(uint64_t size) {
    return -size % BlockStream::record_size;
}

std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Result<Bytes> TarReader::record() {
    Bytes bytes = TRY(stream_.record());
    if (listener_) TRY(listener_->literal(bytes));
    return bytes;
}

// Over bytes that are not used.
Result<> TarReader::pass(uint64_t bytes) {
    while (bytes > 0) {
        Slice slice = TRY(stream_.slice(bytes));
        if (listener_) TRY(listener_->literal(slice.bytes));
        bytes -= slice.bytes.size();
    }
    return {};
}

Result<> TarReader::skip_content() {
    uint64_t bytes = left_ + padding_;
    left_ = padding_ = 0;
    return pass(bytes);
}

// `sum`: how much text there has been for the same purpose.
Result<std::string> TarReader::read_text(uint64_t size, uint64_t& sum) {
    if (size > largest_text || (sum += size) > largest_text)
        return error(Errc::invalid,
                     cat("its extended headers have more than ", human_size(largest_text), ", the limit"));
    std::string text;
    while (text.size() < size) {
        Slice slice = TRY(stream_.slice(size - text.size()));
        if (listener_) TRY(listener_->literal(slice.bytes));
        text += as_text(slice.bytes);
    }
    TRY(pass(padding_of(size)));
    return text;
}

// Over zeros to the end: one block of them is taken for it too, as GNU tar does.
Result<std::optional<TarHeader>> TarReader::next_header() {
    if (ended_ || TRY(stream_.at_end())) {
        if (!any_) return error(Errc::invalid, "it is empty: this is no tar archive");
        return std::optional<TarHeader>();
    }
    uint64_t at = stream_.position();
    Bytes bytes = TRY(record());
    if (is_zero_record(bytes)) {
        ended_ = any_ = true;
        return std::optional<TarHeader>();
    }
    header_ = bytes;
    auto header = TRY(parse_tar_header(bytes));
    if (header) return header;
    if (!any_) return error(Errc::invalid, "this is no tar archive: it does not start with a header of one");
    return error(Errc::invalid,
                 cat("it is damaged at byte ", at, ": there is no header where one was expected"));
}

// Headers that are about the next one, or about nothing in a tree. False: an ordinary one.
Result<bool> TarReader::take_special(const TarHeader& header) {
    switch (header.kind) {
        case 'x':
        case 'X':
        case 'g': {
            std::string text = TRY(read_text(header.size, header.kind == 'g' ? global_bytes_ : own_bytes_));
            TRY(parse_pax(text, header.kind == 'g' ? global_ : own_));
            return true;
        }
        case 'L':
        case 'K': {
            std::string text = TRY(read_text(header.size, own_bytes_));
            text.resize(std::min(text.find('\0'), text.size()));
            (header.kind == 'L' ? long_name_ : long_link_) = std::move(text);
            return true;
        }
        case 'M':
        case 'N':
            return error(Errc::unsupported,
                         cat("entry ", shown(header.entry.path),
                             ": it is a part of an archive of several volumes: join them first (tar -M)"));
        default:
            return false;
    }
}

Result<std::optional<Entry>> TarReader::next() {
    TRY(skip_content());
    own_ = {};
    own_bytes_ = 0;
    long_name_.reset();
    long_link_.reset();
    for (;;) {
        auto header = TRY(next_header());
        if (!header) {
            if (!own_.values.empty() || long_name_ || long_link_)
                return error(Errc::invalid, "it ends behind an extended header: it was cut off");
            return std::optional<Entry>();
        }
        any_ = true;
        if (TRY(take_special(*header))) continue;
        std::string name = long_name_.value_or(header->entry.path);
        return std::optional(TRY(complete(std::move(*header)).within(cat("entry ", shown(name)))));
    }
}

Result<Entry> TarReader::complete(TarHeader header) {
    Entry& entry = header.entry;
    if (long_name_) entry.path = std::move(*long_name_);
    if (long_link_) entry.link = std::move(*long_link_);
    SparseForm form = TRY(apply_pax(global_, own_, entry));
    if ((entry.type == EntryType::symlink || entry.type == EntryType::hardlink) && entry.link.empty())
        return error(Errc::invalid, "it is a link to nothing");
    left_ = entry.stored;
    padding_ = padding_of(left_);
    TRY(read_sparse_map(form, header.old_sparse, entry));
    map_ = entry.sparse ? entry.segments : std::vector<Segment>{{0, entry.stored}};
    segment_ = 0;
    segment_at_ = 0;
    return std::move(entry);
}

Result<std::optional<TarReader::Piece>> TarReader::content(const std::string& path) {
    if (left_ == 0) {
        TRY(pass(std::exchange(padding_, 0)));
        return std::optional<Piece>();
    }
    while (segment_at_ == map_[segment_].length) {
        ++segment_;
        segment_at_ = 0;
    }
    const Segment& segment = map_[segment_];
    Slice slice = TRY(stream_.slice(std::min(left_, segment.length - segment_at_)));
    uint64_t offset = segment.offset + segment_at_;
    segment_at_ += slice.bytes.size();
    left_ -= slice.bytes.size();
    if (listener_) TRY(listener_->content(path, offset, slice.bytes.size()));
    return std::optional(Piece{std::move(slice), offset});
}

Result<> TarReader::drain() {
    TRY(skip_content());
    while (!TRY(stream_.at_end())) {
        Slice slice = TRY(stream_.slice(block_size));
        if (listener_) TRY(listener_->literal(slice.bytes));
    }
    return {};
}

}  // namespace croft::archive
