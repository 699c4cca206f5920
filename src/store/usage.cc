#include "store/usage.h"

#include <dirent.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "base/scope.h"
#include "base/text.h"

namespace croft::store {
namespace {

constexpr int deepest = 512;
constexpr uint64_t block = 512;  // stat(2), whatever the file system's is

class Usage {
  public:
    Result<> add(int dir, const char* name, int depth) {
        struct stat st = {};
        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return errno == ENOENT ? Result<>() : os_error(errno, cat("looking at '", name, "'"));
        if (st.st_nlink > 1 && !S_ISDIR(st.st_mode) && !seen_.insert(st.st_ino).second) return {};
        bytes += static_cast<uint64_t>(st.st_blocks) * block;
        if (!S_ISDIR(st.st_mode)) return {};
        if (depth >= deepest) return error(Errc::failed, cat("'", name, "' is nested too deeply"));
        return entries(dir, name, depth);
    }

    uint64_t bytes = 0;

  private:
    Result<> entries(int dir, const char* name, int depth) {
        int inner = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR* stream = inner < 0 ? nullptr : fdopendir(inner);
        if (!stream) return errno == ENOENT ? Result<>() : os_error(errno, cat("reading '", name, "'"));
        OnExit close_stream([&] { closedir(stream); });
        while (dirent* entry = readdir(stream))
            if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) TRY(add(inner, entry->d_name, depth + 1));
        return {};
    }
    std::set<ino_t> seen_;  // the store is one file system
};

}  // namespace

Result<uint64_t> disk_usage(const Store& store, const std::string& name) {
    Usage usage;
    TRY(usage.add(store.fd(), name.c_str(), 0).within(cat("counting ", store.at(name))));
    return usage.bytes;
}

}  // namespace croft::store
