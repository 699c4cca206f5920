// Resolves a user "uid", "name", "uid:gid", "name:group" inside a tree, by reading the tree's own etc/passwd
// and etc/group as text. No NSS: that would load the tree's (or the host's) libraries. Called by facts.cc and
// by manager/exec.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace croft::host {

struct ResolvedUser {
    uint32_t uid = 0, gid = 0;
    std::vector<uint32_t> groups;  // supplementary, of the name; without gid
    std::string name, home = "/", shell;
};

// `root` is the tree. A number needs no entry; a name without one is an error that names the file. An empty
// `user` is root. Files that are missing, too large or not text count as empty.
Result<ResolvedUser> resolve_user(int root, std::string_view user);

// The same on text, for tests and fuzzing.
Result<ResolvedUser> resolve_user_in(std::string_view passwd, std::string_view group, std::string_view user);

}  // namespace croft::host
