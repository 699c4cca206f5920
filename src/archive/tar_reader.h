// The entries of a tar archive, in order, with their content.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "archive/block.h"
#include "archive/entry.h"
#include "archive/pax.h"
#include "archive/tar_header.h"

namespace croft::archive {

// Hears every byte of the archive, in order: as it is, or as content of a file.
class TarListener {
  public:
    virtual ~TarListener() = default;
    virtual Result<> literal(std::span<const std::byte> bytes) = 0;
    // `length` bytes that are at `offset` in the file `path` of the tree.
    virtual Result<> content(const std::string& path, uint64_t offset, uint64_t length) = 0;
};

class TarReader {
  public:
    explicit TarReader(BlockStream& stream, TarListener* listener = nullptr)
        : stream_(stream), listener_(listener) {}

    // The next entry; none at the archive's end. What is left of the last one's content is skipped. Its path
    // is as the archive has it: the caller makes it safe (names.h).
    Result<std::optional<Entry>> next();

    struct Piece {
        Slice slice;
        uint64_t offset;  // in the file
    };
    // The next piece of the entry's content; none when it is over. Holes of sparse files are not content.
    // `path` is what the listener is told.
    Result<std::optional<Piece>> content(const std::string& path);
    bool has_content() const { return left_ > 0; }

    // What stands behind the archive's end (filling, usually) to the end of the stream: it belongs to the
    // diff id.
    Result<> drain();

  private:
    Result<std::optional<TarHeader>> next_header();
    Result<bool> take_special(const TarHeader& header);
    Result<Entry> complete(TarHeader header);
    // In tar_sparse.cc.
    Result<> read_sparse_map(SparseForm form, bool old_form, Entry& entry);
    Result<> read_old_sparse(Entry& entry);
    Result<> read_sparse_content(Entry& entry);
    Result<uint64_t> read_sparse_number(std::string& rest);
    Result<std::string> read_text(uint64_t size, uint64_t& sum);
    Result<> skip_content();
    Result<std::span<const std::byte>> record();
    Result<> pass(uint64_t bytes);

    BlockStream& stream_;
    std::span<const std::byte> header_;  // of the current entry, until its content is read
    TarListener* listener_;
    uint64_t left_ = 0;         // content of the current entry that has not been read
    uint64_t padding_ = 0;      // behind it, up to the next 512
    std::vector<Segment> map_;  // where the current content goes
    size_t segment_ = 0;
    uint64_t segment_at_ = 0;
    PaxRecords global_, own_;
    uint64_t global_bytes_ = 0, own_bytes_ = 0;
    std::optional<std::string> long_name_, long_link_;
    bool any_ = false, ended_ = false;
};

}  // namespace croft::archive
