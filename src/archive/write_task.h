// What a writing thread does with its tasks.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "archive/metadata.h"
#include "archive/shards.h"

namespace croft::archive {

// Shared by the threads; outlives them.
struct WriterState {
    MetadataRules rules;
    std::atomic<uint64_t> bytes = 0, attributes_left = 0;
    std::mutex mutex;
    std::vector<std::string> opaque;  // directories that hide what is below them
};

class TaskRunner {
  public:
    TaskRunner(Shards& shards, WriterState& state) : shards_(shards), state_(state) {}
    // The error starts with the entry's name.
    Result<> run(Task& task);

  private:
    Result<> perform(Task& task);
    Result<> create(Task& task);
    Result<bool> make_node(const Task& task);
    Result<> create_file(Task& task);
    Result<> write(const Task& task);
    Result<> close_file();
    Result<> whiteout(const Task& task);

    Shards& shards_;
    WriterState& state_;
    // The file whose content is under way; none when a directory of its name came later, and hides it.
    Fd file_;
    Entry entry_;
};

}  // namespace croft::archive
