#include "store/store.h"

#include <dirent.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/remove_tree.h"
#include "base/scope.h"
#include "base/text.h"
#include "store/faults.h"

namespace croft::store {
namespace {

constexpr std::string_view version = "1\n";
constexpr const char* directories[] = {"blobs",  "blobs/sha256", "blobs/sha512", "layers", "refs",
                                       "machines", "snapshots",  "uses",         "partial",
                                       "trash"};

Result<> check_version(int root, const std::string& path) {
    std::string found = TRY(read_file_at(root, "version", 64).within(cat("the store ", path)));
    if (found == version) return {};
    return error(Errc::unsupported,
                 cat("the store ", path, " has format ", quoted(trim(found)), ", and this croft knows ",
                     quoted(trim(version)), ": use the croft that made it, or move the directory away"));
}

// The version comes last: where it is, all is.
Result<> make_store(const Store& store) {
    for (const char* name : directories)
        if (mkdirat(store.fd(), name, 0700) < 0 && errno != EEXIST)
            return os_error(errno, cat("making ", store.at(name)));
    return store.write_file("version", version).within(cat("making the store ", store.path()));
}

// Whoever may write here can become any machine's root.
Result<> check_owner(int root, const std::string& path) {
    struct stat st = {};
    if (fstat(root, &st) < 0) return os_error(errno, cat("looking at ", path));
    if (st.st_uid == geteuid() && !(st.st_mode & 022)) return {};
    return error(Errc::denied, cat("the store ", path, " belongs to somebody else or can be written by others: "
                                   "chown and chmod go-w it, if it is yours"));
}

}  // namespace

std::string random_name() {
    unsigned char bytes[8];
    while (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {}
    return hex({reinterpret_cast<char*>(bytes), sizeof bytes});
}

Result<> sync_directory(int dir, const char* path) {
    Fd directory = TRY(open_at(dir, path, O_RDONLY | O_DIRECTORY));
    if (fsync(directory.get()) < 0) return os_error(errno, cat("writing the directory ", quoted(path), " to disk"));
    return {};
}

Result<Store> Store::open(const std::string& path) {
    TRY(make_dirs_at(AT_FDCWD, path.substr(0, path.rfind('/'))).within("making the place of the store"));
    if (mkdir(path.c_str(), 0700) < 0 && errno != EEXIST) return os_error(errno, cat("making the store ", path));
    Fd root = TRY(open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY));
    TRY(check_owner(root.get(), path));
    Store out(path, std::move(root));
    if (!exists_at(out.fd(), "version")) TRY(make_store(out));
    TRY(check_version(out.fd(), path));
    return out;
}

Result<std::optional<Store>> Store::find(const std::string& path) {
    Fd root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root && (errno == ENOENT || errno == EACCES)) return std::optional<Store>();
    if (!root) return os_error(errno, cat("opening the store ", path));
    if (!exists_at(root.get(), "version")) return std::optional<Store>();
    TRY(check_owner(root.get(), path));
    TRY(check_version(root.get(), path));
    return std::optional<Store>(Store(path, std::move(root)));
}

std::string Store::at(std::string_view name) const {
    return cat(path_, "/", name);
}

Result<Fd> Store::hold() const {
    return wait_for_lock(fd(), "lock", LockKind::shared);
}

Result<std::optional<Fd>> Store::try_hold_alone() const {
    return try_lock(fd(), "lock", LockKind::exclusive);
}

Result<> Store::discard(const std::string& name) const {
    step();
    std::string gone = cat("trash/", random_name());
    if (renameat(fd(), name.c_str(), fd(), gone.c_str()) < 0 && errno != ENOENT)
        return os_error(errno, cat("moving ", at(name), " to the trash"));
    return {};
}

Result<> Store::empty_trash() const {
    for (const std::string& name : TRY(names_in("trash"))) {
        step();
        TRY(remove_tree_at(fd(), cat("trash/", name).c_str()).within(cat("emptying ", at("trash"))));
    }
    return {};
}

void Store::empty_trash_later() const {
    auto names = names_in("trash");
    if (!names || names->empty()) return;
    pid_t child = fork();
    if (child != 0) return;
    setsid();
    // Whoever reads the caller's output to its end does not wait for this.
    Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int stream : {0, 1, 2})
        if (null) dup2(null.get(), stream);
    (void)!nice(10);
    // Locks of the caller's would be held for as long as this lasts.
    Store own(path_, Fd(3));
    bool alone = (fd() == 3 || dup3(fd(), 3, O_CLOEXEC) == 3) && close_range(4, ~0u, 0) == 0;
    if (alone) (void)own.empty_trash();
    _exit(0);
}

Result<> Store::write_file(const std::string& name, std::string_view text) const {
    size_t slash = name.rfind('/');
    std::string directory = slash == name.npos ? "." : name.substr(0, slash);
    std::string fresh = cat(directory, "/.new-", random_name());
    Fd file = TRY(open_at(fd(), fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600));
    OnExit remove([&] { unlinkat(fd(), fresh.c_str(), 0); });
    TRY(write_all(file.get(), text).within(cat("writing ", at(name))));
    if (fsync(file.get()) < 0) return os_error(errno, cat("writing ", at(name), " to disk"));
    step();
    if (renameat(fd(), fresh.c_str(), fd(), name.c_str()) < 0) return os_error(errno, cat("writing ", at(name)));
    remove.dismiss();
    step();
    return sync_directory(fd(), directory.c_str());
}

Result<> Store::write_new(const std::string& name, std::string_view text, SyncGroup& group) const {
    step();
    // One that is there is of a process that died before anything referred to it.
    Fd file = TRY(open_at(fd(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
    TRY(write_all(file.get(), text).within(cat("writing ", at(name))));
    group.add(std::move(file), at(name));
    return {};
}

Result<std::vector<std::string>> Store::names_in(const std::string& directory) const {
    int copy = openat(fd(), directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* stream = copy < 0 ? nullptr : fdopendir(copy);
    if (!stream) return os_error(errno, cat("reading ", at(directory)));
    OnExit close_stream([&] { closedir(stream); });
    std::vector<std::string> names;
    while (dirent* entry = readdir(stream))
        if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace croft::store
