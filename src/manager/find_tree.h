// TREE on the command line: a path of a directory or of a raw disk image (also as raw:PATH), or the name of one of them in
// /var/lib/machines, where an image is called NAME.raw.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace croft::manager {

struct Tree {
    std::string directory;  // absolute, or an image's path; what is there is looked at by host/, not here
    std::string name;       // what machine files of this tree are called after
};

// A word with a slash, "." and ".." are paths. Any other word is a name: so a directory that happens to lie
// here cannot stand in for a machine of that name.
Result<Tree> find_tree(std::string_view text);

// Where the tree of that name is, if it is there.
std::string tree_path(std::string_view name);
// The same, but the disk image of that name where there is one and no directory.
std::string default_tree(std::string_view name);

// A path of this host made absolute, from the caller's directory; symlinks stay.
Result<std::string> absolute_path(std::string_view path);

}  // namespace croft::manager
