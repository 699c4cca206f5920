#include "archive/block.h"

#include <algorithm>

#include "archive/streams.h"
#include "base/text.h"

namespace croft::archive {

struct BlockReader::Pool {
    std::mutex mutex;
    std::condition_variable returned;
    std::vector<std::unique_ptr<Block>> free;
    size_t unmade;  // blocks that may still be made
    bool closed = false;
};

BlockReader::BlockReader(std::unique_ptr<Source> from, size_t blocks, Hasher* hasher)
    : from_(std::move(from)), pool_(std::make_shared<Pool>()) {
    pool_->unmade = blocks;
    thread_ = std::thread([this, hasher] { run(hasher); });
}

BlockReader::~BlockReader() {
    {
        std::lock_guard lock(pool_->mutex);
        pool_->closed = true;
    }
    pool_->returned.notify_all();
    thread_.join();
}

// None when the reader is being destroyed.
std::shared_ptr<Block> BlockReader::free_block() {
    std::unique_lock lock(pool_->mutex);
    pool_->returned.wait(lock, [this] { return pool_->closed || !pool_->free.empty() || pool_->unmade; });
    if (pool_->closed) return nullptr;
    Block* block;
    if (pool_->free.empty()) {
        --pool_->unmade;
        block = new Block;
    } else {
        block = pool_->free.back().release();
        pool_->free.pop_back();
    }
    return {block, [pool = pool_](Block* used) {
                {
                    std::lock_guard returning(pool->mutex);
                    pool->free.emplace_back(used);
                }
                pool->returned.notify_one();
            }};
}

void BlockReader::run(Hasher* hasher) {
    for (bool more = true; more;) {
        std::shared_ptr<Block> block = free_block();
        if (!block) return;
        auto filled = fill(*from_, block->bytes);
        block->used = filled ? *filled : 0;
        if (hasher && block->used) hasher->update(std::span(block->bytes).first(block->used));
        more = block->used == block_size;
        std::lock_guard lock(mutex_);
        if (!filled) error_ = filled.error();
        if (block->used) ready_.push_back(std::move(block));
        ended_ = !more;
        changed_.notify_one();
    }
}

Result<std::shared_ptr<const Block>> BlockReader::next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || ended_; });
    if (!ready_.empty()) {
        auto block = std::move(ready_.front());
        ready_.pop_front();
        return block;
    }
    if (error_) return *error_;
    return std::shared_ptr<const Block>();
}

Result<> BlockStream::more() {
    if (block_ && at_ < block_->used) return {};
    at_ = 0;
    block_.reset();  // before waiting: it may be the one that the reader waits for
    block_ = TRY(blocks_.next());
    if (hasher_ && block_) hasher_->update(std::span(block_->bytes).first(block_->used));
    return {};
}

Result<bool> BlockStream::at_end() {
    TRY(more());
    return !block_;
}

Result<Slice> BlockStream::slice(uint64_t most) {
    TRY(more());
    if (!block_)
        return error(Errc::invalid,
                     cat("it ends at byte ", position_, ", in the middle of an entry: it was cut off"));
    size_t length = std::min<uint64_t>(most, block_->used - at_);
    Slice slice{block_, std::span(block_->bytes).subspan(at_, length)};
    at_ += length;
    position_ += length;
    return slice;
}

Result<std::span<const std::byte>> BlockStream::record() {
    Slice slice = TRY(this->slice(record_size));
    if (slice.bytes.size() < record_size)
        return error(Errc::invalid, cat("it ends at byte ", position_,
                                        ", in the middle of a block of 512 bytes: it was cut off"));
    return slice.bytes;  // block_ keeps it
}

}  // namespace croft::archive
