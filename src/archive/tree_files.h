// Single steps inside a tree that an archive's maker may have laid traps in: nothing here follows a symbolic
// link or leaves the tree.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "archive/entry.h"
#include "base/fd.h"

namespace croft::archive {

// A directory of the tree, to read and to work in, by its path ("" is the top). not_found and others as the
// kernel says; a symbolic link anywhere in it is ELOOP.
Result<Fd> open_directory(int tree, const std::string& path);
// One that is directly in another.
Result<Fd> open_directory_in(int directory, const std::string& name);
// The names in a directory, in no order, without "." and "..".
Result<std::vector<std::string>> list_directory(int directory);
// Reads a stretch of a file to its end, in parts as large as `room`. A file that ends before is busy: it
// became shorter.
Result<> read_stretch(int file, Segment stretch, std::span<std::byte> room,
                      const std::function<Result<>(std::span<const std::byte>)>& take);

}  // namespace croft::archive
