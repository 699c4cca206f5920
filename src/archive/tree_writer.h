// Entries of an archive to files of a tree: what each name means, and who writes it.
#pragma once

#include <memory>
#include <string>
#include <unordered_set>

#include "archive/recipe_writer.h"
#include "archive/tar_reader.h"
#include "archive/tree_directories.h"
#include "archive/unpack.h"
#include "archive/write_task.h"

namespace croft::archive {

class TreeWriter {
  public:
    TreeWriter(int tree, const UnpackOptions& options, RecipeWriter* recipe);
    // Looks at the tree; once, before everything else.
    Result<> start();
    // An entry, and its content from the reader.
    Result<> add(TarReader& reader, Entry entry);
    // Directories get their times; what was left out is counted. Opaque directories are listed in opaque().
    Result<> finish(Unpacked& result);
    const std::vector<std::string>& opaque() const { return state_.opaque; }

  private:
    Result<> place(TarReader& reader, Entry entry, const std::string& path);
    Result<> add_node(TarReader& reader, Entry entry, const std::string& path);
    Result<> add_whiteout(const std::string& path);
    Result<> make_opaque(const std::string& directory);
    Result<> remove_lower(Fd directory, const std::string& path);
    Result<> push_content(TarReader& reader, Task first, const std::string& path);
    Result<> push(Task task);
    Result<> fill_hard_link(Task& task);
    Result<> rescue(const std::string& path);
    Result<> rescue_all(const std::string& directory);
    Result<> make_room(const std::string& path);
    void remember(std::string path);
    bool leaves_out(const Entry& entry);

    int tree_;
    const UnpackOptions& options_;
    RecipeWriter* recipe_;
    WriterState state_;
    Shards shards_;
    TreeDirectories directories_;
    std::unordered_set<size_t>
        made_;  // hashes of what this archive made: only where lower layers are in the tree
    const Block* last_block_ = nullptr;
    uint64_t devices_left_ = 0, others_left_ = 0;
};

}  // namespace croft::archive
