// Entries to the bytes of a tar archive, in pax interchange format.
#pragma once

#include <string>

#include "archive/entry.h"
#include "base/stream.h"

namespace croft::archive {

// The header of one entry, with an extended one before it where ustar cannot say it: names that are too long, large
// numbers, fractions of seconds, attributes, ACLs, a comment. `entry.path` of a directory has a slash at its end. ACLs are
// text here. The content, altogether entry.stored bytes, follows it and is filled up to 512 bytes; of sparse files
// its map is before that.
std::string tar_header(const Entry& entry);

class TarWriter {
  public:
    explicit TarWriter(Sink& to) : to_(to) { buffer_.reserve(buffer_size); }

    // Of sparse files `segments` are what follows as content.
    Result<> header(const Entry& entry);
    // The content, altogether entry.stored bytes.
    Result<> content(std::span<const std::byte> bytes);
    // Fills the last 512 bytes of the content.
    Result<> end_content();
    // Two empty records; the sink is finished.
    Result<> finish();
    uint64_t written() const { return written_; }

  private:
    static constexpr size_t buffer_size = 256 << 10;
    Result<> put(std::string_view bytes);
    Result<> flush();

    Sink& to_;
    std::string buffer_;
    uint64_t written_ = 0, content_ = 0;
};

}  // namespace croft::archive
