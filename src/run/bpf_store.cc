#include "run/bpf_store.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstring>

#include "base/log.h"
#include "base/text.h"

namespace croft::run {

namespace {

constexpr const char* host_bpffs = "/sys/fs/bpf";
constexpr const char* host_store = "/sys/fs/bpf/croft";
constexpr const char* run_directory = "/run/croft";
constexpr const char* own_store = "/run/croft/bpf";

// What the kernel takes for one name is 255 bytes; a longer key is a path of several.
constexpr size_t piece = 240;
constexpr size_t longest_key = 3000;

bool is_bpffs(const char* path) {
    struct statfs fs;
    return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

// Root's, and closed to everybody else, so that only root can have put something there.
bool is_private(const char* path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 && (st.st_mode & 077) == 0;
}

long bpf_object(int command, const std::string& path, const Fd& program) {
    bpf_attr attr;
    std::memset(&attr, 0, sizeof attr);
    attr.pathname = reinterpret_cast<uint64_t>(path.c_str());
    if (program) attr.bpf_fd = static_cast<uint32_t>(program.get());
    return syscall(SYS_bpf, command, &attr, sizeof attr);
}

// "KEY" in pieces; all but the last are directories, marked so that none can be the end of another key.
std::string path_of(std::string_view store, std::string_view key) {
    std::string path(store);
    for (; key.size() > piece; key.remove_prefix(piece)) path += cat("/d", key.substr(0, piece));
    return path += cat("/p", key);
}

// Two starts at once must not mount two: the second would hide what the first keeps.
Result<> mount_own_store() {
    TRY(make_dirs_at(AT_FDCWD, own_store, 0755));
    Fd lock = TRY(open_at(AT_FDCWD, run_directory, O_RDONLY | O_DIRECTORY));
    flock(lock.get(), LOCK_EX);
    if (is_bpffs(own_store)) return {};
    if (mount("bpf", own_store, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
        return os_error(errno, cat("mounting a BPF file system on ", own_store));
    return {};
}

Result<const char*> make_store() {
    if (is_bpffs(host_bpffs)) {
        if (mkdir(host_store, 0700) != 0 && errno != EEXIST)
            return os_error(errno, cat("making ", host_store));
        if (is_private(host_store)) return host_store;
    }
    TRY(mount_own_store());
    if (!is_private(own_store)) return error(Errc::denied, cat(own_store, " is not root's alone"));
    return own_store;
}

Result<> pin(std::string_view key, const Fd& program) {
    std::string path = path_of(TRY(make_store()), key);
    TRY(make_dirs_at(AT_FDCWD, path.substr(0, path.rfind('/')), 0700));
    if (bpf_object(BPF_OBJ_PIN, path, program) != 0 && errno != EEXIST)
        return os_error(errno, cat("pinning ", path));
    return {};
}

}  // namespace

Fd find_kept_program(std::string_view key) {
    if (geteuid() != 0 || key.size() > longest_key) return Fd();
    for (const char* store : {host_store, own_store}) {
        if (!is_private(store)) continue;
        long fd = bpf_object(BPF_OBJ_GET, path_of(store, key), Fd());
        if (fd >= 0) return Fd(static_cast<int>(fd));
    }
    return Fd();
}

void keep_program(std::string_view key, const Fd& program) {
    if (geteuid() != 0 || key.size() > longest_key) return;
    Result<> kept = pin(key, program);
    if (!kept) debug(cat("the device policy is not kept: ", kept.error().text));
}

}  // namespace croft::run
