// A stream in blocks that are read ahead by a thread of their own, so that decompressing overlaps with what
// is done with the bytes. Memory is bounded: whoever keeps slices keeps their blocks, and the thread waits
// for one to come back.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "archive/hash.h"
#include "base/stream.h"

namespace croft::archive {

constexpr size_t block_size = 256 << 10;  // a multiple of tar's 512, so that no header lies across two blocks

struct Block {
    size_t used = 0;  // block_size in all but the last
    std::byte bytes[block_size];
};

// Some bytes of a block, which it keeps.
struct Slice {
    std::shared_ptr<const Block> block;
    std::span<const std::byte> bytes;
};

class BlockReader {
  public:
    // `hasher` (or none) sees every byte, in the reading thread; it belongs to that thread until next() gave
    // the end.
    BlockReader(std::unique_ptr<Source> from, size_t blocks, Hasher* hasher);
    ~BlockReader();

    // The next block; none at the end, and whenever it is asked again.
    Result<std::shared_ptr<const Block>> next();

  private:
    struct Pool;
    void run(Hasher* hasher);
    std::shared_ptr<Block> free_block();

    std::unique_ptr<Source> from_;
    std::shared_ptr<Pool> pool_;  // blocks may outlive the reader
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::shared_ptr<const Block>> ready_;
    std::optional<Error> error_;
    bool ended_ = false;
    std::thread thread_;
};

// A stream's bytes in order, over its blocks: records of 512 bytes and slices of any length.
class BlockStream {
  public:
    static constexpr size_t record_size = 512;
    // `hasher` (or none) sees every block.
    explicit BlockStream(BlockReader& blocks, Hasher* hasher = nullptr) : blocks_(blocks), hasher_(hasher) {}

    // How far the stream has been read, in bytes.
    uint64_t position() const { return position_; }
    Result<bool> at_end();
    // 512 bytes in one piece, valid until the next call; asks for no more than a slice at other places than
    // multiples of 512. A stream that ends inside is an error.
    Result<std::span<const std::byte>> record();
    // At most `most` bytes (not 0), at least one. A stream that has ended is an error.
    Result<Slice> slice(uint64_t most);

  private:
    Result<> more();

    BlockReader& blocks_;
    Hasher* hasher_;
    std::shared_ptr<const Block> block_;
    size_t at_ = 0;
    uint64_t position_ = 0;
};

}  // namespace croft::archive
