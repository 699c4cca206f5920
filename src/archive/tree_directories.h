// The directories that an archive makes: which there are, who works in them, and what they shall be like in
// the end (owner, mode and time are set when nothing more is written in them).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "archive/shards.h"

namespace croft::archive {

class TreeDirectories {
  public:
    struct Hooks {
        // Before something that is no directory is removed because a directory takes its place.
        std::function<Result<>(const std::string& path)> before_replacing;
        // A whiteout was replaced by a directory: it hides what is below.
        std::function<void(const std::string& path)> opaque;
    };
    enum class Links {
        refuse,   // a path through something that is no directory is the archive's fault
        replace,  // it is of a lower layer, and hidden by a directory of this one
    };
    TreeDirectories(int tree, Shards& shards, Links links, Hooks hooks);

    bool knows(const std::string& path) const { return known_.contains(path); }
    // The directory, made with its parents where it is not there.
    Result<DirectoryRef> open(const std::string& path);
    // The directory if it is there, whoever made it.
    Result<DirectoryRef> find(const std::string& path);
    // An entry of the archive: made, and remembered to be finished. The last of several counts.
    Result<> add(const std::string& path, Entry entry);
    // Removes what the name stands for, with everything below; all tasks are done before.
    Result<> remove(const std::string& path);
    // Gives every directory of the archive what its entry says.
    Result<> finish();

  private:
    struct Known {
        size_t shard;
        std::unique_ptr<Entry> entry;  // none of those that only the paths of others named
    };
    Result<DirectoryRef> keep_open(const std::string& path, Fd fd, size_t shard);
    Result<DirectoryRef> make(const std::string& path, bool implied);
    Result<> clear_place(const Directory& parent, const std::string& path, bool implied);

    int tree_;
    Shards& shards_;
    Links links_;
    Hooks hooks_;
    std::unordered_map<std::string, Known> known_;
    std::unordered_map<std::string, DirectoryRef> open_;
    std::shared_ptr<std::atomic<size_t>> open_directories_ = std::make_shared<std::atomic<size_t>>(0);
};

}  // namespace croft::archive
