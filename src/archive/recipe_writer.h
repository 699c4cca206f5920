// Writes the recipe of an archive while it is unpacked.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "archive/tar_reader.h"

namespace croft::archive {

class RecipeWriter : public TarListener {
  public:
    // `file` stays the caller's.
    explicit RecipeWriter(int file) : file_(file) {}
    Result<> start();
    Result<> literal(std::span<const std::byte> bytes) override;
    Result<> content(const std::string& path, uint64_t offset, uint64_t length) override;
    // Whether content of this path is in the tree.
    bool has(const std::string& path) const;
    // What the recipe says of a file's content does not hold any more: the bytes, which `file` still has, go
    // into the recipe.
    Result<> rescue(const std::string& path, int file);
    Result<> finish();

  private:
    struct Place {
        size_t first, count;  // content records
    };
    Result<> flush();
    Result<> put(std::string_view bytes);
    Result<> end_content();
    void number(uint64_t value);

    int file_;
    std::unique_ptr<Sink> to_;
    std::string pending_;  // records, until there are enough to compress
    std::string literal_;
    std::vector<Segment> contents_;
    std::unordered_map<size_t, Place>
        places_;  // by the path's hash: a collision makes a wrong recipe, and hashes tell
    std::string path_, written_path_;
    uint64_t offset_ = 0, length_ = 0;
};

}  // namespace croft::archive
