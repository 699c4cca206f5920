// The threads that write: each has a queue of tasks, done in order. Everything in one directory is one
// thread's (the kernel would have them wait for each other anyway), so that of two entries of one name the
// later one is written later.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "archive/block.h"
#include "archive/entry.h"
#include "base/fd.h"

namespace croft::archive {

// A directory that is open because tasks in it are under way.
struct Directory {
    Fd fd;
    std::string path;  // in the tree; "" is its top
    size_t shard;
    std::shared_ptr<std::atomic<size_t>> open_directories;
    ~Directory() { --*open_directories; }
};
using DirectoryRef = std::shared_ptr<Directory>;

struct Task {
    enum class Kind : uint8_t {
        create,            // the entry, with its content or the first piece of it
        data,              // the next piece of the content of the file that was created last
        whiteout,          // overlayfs' mark that `name` is gone
        finish_directory,  // the directory itself gets owner, mode, attributes and time
    };
    Kind kind = Kind::create;
    bool last = true;  // no more content
    DirectoryRef directory;
    std::string name;
    Entry entry;
    Slice slice;
    uint64_t offset = 0;  // of the slice in the file
    // Of hard links: what is linked to, and the task before which it is not there.
    DirectoryRef link_directory;
    std::string link_name;
    size_t after_shard = 0;
    uint64_t after_count = 0;
};

class Shards {
  public:
    using Work = std::function<Result<>(Task&)>;
    // `make_work` makes what does the tasks of one thread.
    Shards(size_t count, const std::function<Work(Shards&)>& make_work);
    ~Shards();  // does what is queued, unless something has failed

    // How many threads for `asked` (0: two, or as many as there are processors if that is fewer).
    static unsigned thread_count(unsigned asked);

    size_t count() const { return shards_.size(); }
    size_t least_busy() const;
    // The caller's side, one thread. The error is the first that any task had; tasks behind it are thrown
    // away.
    Result<> push(size_t shard, Task task);
    // What has been pushed is on its way when this returns, what was done is not.
    Result<> flush();
    // All of it is done.
    Result<> barrier(size_t shard);
    Result<> barrier();
    // How many tasks have been given to this shard so far, all of them on their way.
    Result<uint64_t> given(size_t shard);

    // That error, as soon as there is one.
    Result<> failure() const;

    // The threads' side: waits until a shard has done so many.
    void wait_done(size_t shard, uint64_t count);

  private:
    struct Shard {
        std::vector<Task> pending;  // the caller's, not given yet
        uint64_t given = 0;         // the caller's
        mutable std::mutex mutex;
        std::condition_variable work, room, progress;
        std::vector<Task> queue;
        std::atomic<uint64_t> done = 0;
        std::atomic<size_t> waiting = 0;  // for `progress`
        bool closed = false;
        std::thread thread;
    };
    void run(Shard& shard, const Work& work);
    Result<> flush(Shard& shard);

    std::vector<std::unique_ptr<Shard>> shards_;
    std::atomic<bool> failed_ = false;
    mutable std::mutex error_mutex_;
    std::optional<Error> error_;
};

}  // namespace croft::archive
