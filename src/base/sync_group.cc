#include "base/sync_group.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/text.h"

namespace croft {

void SyncGroup::add(Fd file, std::string name) {
    members_.push_back({std::move(file), std::move(name)});
}

Result<> SyncGroup::add_directory(int dir, const std::string& path) {
    add(TRY(open_at(dir, path.c_str(), O_RDONLY | O_DIRECTORY)), cat("the directory ", path));
    return {};
}

// Content first, of all of them: then the first fsync's commit has everything that the others would ask for. Only a hint,
// which directories and some file systems refuse.
Result<> SyncGroup::flush() {
    std::vector<Member> members = std::exchange(members_, {});
    constexpr unsigned start = SYNC_FILE_RANGE_WRITE;
    constexpr unsigned wait = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (members.size() > 1)
        for (unsigned what : {start, wait})
            for (const Member& each : members) (void)sync_file_range(each.file.get(), 0, 0, what);
    for (const Member& each : members)
        if (fsync(each.file.get()) < 0) return os_error(errno, cat("writing ", each.name, " to disk"));
    return {};
}

}  // namespace croft
