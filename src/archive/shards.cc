#include "archive/shards.h"

#include <algorithm>

namespace croft::archive {

namespace {
// Tasks are handed over in groups: waking a thread for each would cost as much as writing a small file.
constexpr size_t group = 24, most_queued = 192;
}  // namespace

unsigned Shards::thread_count(unsigned asked) {
    constexpr unsigned usual = 2, most = 16;
    unsigned processors = std::max(1U, std::thread::hardware_concurrency());
    return asked ? std::min(asked, most) : std::min(usual, processors);
}

Shards::Shards(size_t count, const std::function<Work(Shards&)>& make_work) {
    for (size_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<Shard>());
    for (auto& shard : shards_)
        shard->thread = std::thread([this, &shard = *shard, work = make_work(*this)] { run(shard, work); });
}

Shards::~Shards() {
    for (auto& shard : shards_) {
        (void)flush(*shard);
        std::lock_guard lock(shard->mutex);
        shard->closed = true;
        shard->work.notify_one();
    }
    for (auto& shard : shards_) shard->thread.join();
}

void Shards::run(Shard& shard, const Work& work) {
    std::vector<Task> tasks;
    for (;;) {
        {
            std::unique_lock lock(shard.mutex);
            shard.work.wait(lock, [&] { return !shard.queue.empty() || shard.closed; });
            if (shard.queue.empty()) return;
            tasks.swap(shard.queue);
        }
        shard.room.notify_one();
        for (Task& task : tasks) {
            auto done = failed_.load(std::memory_order_relaxed) ? Result<>() : work(task);
            if (!done) {
                std::lock_guard lock(error_mutex_);
                if (!failed_.exchange(true)) error_ = done.error();
            }
            task = Task();  // gives its block and its directory back now
            ++shard.done;
            if (shard.waiting) {
                std::lock_guard lock(shard.mutex);
                shard.progress.notify_all();
            }
        }
        tasks.clear();
    }
}

Result<> Shards::failure() const {
    if (!failed_) return {};
    std::lock_guard lock(error_mutex_);
    return *error_;
}

Result<> Shards::flush(Shard& shard) {
    if (shard.pending.empty()) return failure();
    {
        std::unique_lock lock(shard.mutex);
        shard.room.wait(lock, [&] { return shard.queue.size() < most_queued; });
        for (Task& task : shard.pending) shard.queue.push_back(std::move(task));
    }
    shard.work.notify_one();
    shard.pending.clear();
    return failure();
}

Result<> Shards::push(size_t at, Task task) {
    Shard& shard = *shards_[at];
    bool large = task.slice.bytes.size() > block_size / 4;
    shard.pending.push_back(std::move(task));
    ++shard.given;
    return large || shard.pending.size() >= group ? flush(shard) : failure();
}

Result<> Shards::flush() {
    for (auto& shard : shards_) TRY(flush(*shard));
    return {};
}

size_t Shards::least_busy() const {
    size_t best = 0;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < shards_.size(); ++i) {
        uint64_t waiting = shards_[i]->given - shards_[i]->done;
        if (waiting < least) best = i, least = waiting;
    }
    return best;
}

Result<uint64_t> Shards::given(size_t shard) {
    TRY(flush(*shards_[shard]));
    return shards_[shard]->given;
}

void Shards::wait_done(size_t at, uint64_t count) {
    Shard& shard = *shards_[at];
    if (shard.done >= count) return;
    ++shard.waiting;
    {
        std::unique_lock lock(shard.mutex);
        shard.progress.wait(lock, [&] { return shard.done >= count; });
    }
    --shard.waiting;
}

Result<> Shards::barrier(size_t shard) {
    uint64_t count = TRY(given(shard));
    wait_done(shard, count);
    return failure();
}

Result<> Shards::barrier() {
    for (size_t i = 0; i < shards_.size(); ++i) TRY(barrier(i));
    return failure();
}

}  // namespace croft::archive
