// Files and directories that must have reached the disk before what comes next. They go there together: a journal's commit
// takes milliseconds, whatever is in it, and one fsync after each write would be a commit for each.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace croft {

class SyncGroup {
  public:
    // `name` is the one that an error names.
    void add(Fd file, std::string name);
    // A directory below `dir`, so that names in it last.
    Result<> add_directory(int dir, const std::string& path);
    // fsync of each; the group is empty afterwards. The first error is told, and what it is about may not last.
    Result<> flush();

  private:
    struct Member {
        Fd file;
        std::string name;
    };
    std::vector<Member> members_;
};

}  // namespace croft
