#include "registry/staging.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>

#include "archive/streams.h"
#include "base/remove_tree.h"
#include "base/scope.h"
#include "base/text.h"
#include "registry/blobs.h"

namespace croft::registry {

namespace {
std::string random_suffix() {
    char bytes[6];
    // Short requests of the pool never fail once it is seeded (getrandom(2)).
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return cat(getpid());
    return hex({bytes, sizeof bytes});
}

// Best effort: what stays has a name that says whose it is.
void remove_anything(const std::string& path, Staging::Kind kind) {
    if (kind == Staging::Kind::file)
        unlink(path.c_str());
    else
        (void)remove_tree_at(AT_FDCWD, path.c_str());
}
}  // namespace

Result<Staging> Staging::make(const std::string& path, Kind kind) {
    std::string clean = path;
    while (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
    size_t slash = clean.rfind('/');
    std::string above = slash == clean.npos ? "" : clean.substr(0, slash + 1),
                name = slash == clean.npos ? clean : clean.substr(slash + 1);
    if (name.empty() || name == "." || name == "..")
        return error(Errc::invalid, cat(quoted(path), " is no place for a new file"));
    Staging out;
    out.path_ = clean, out.kind_ = kind;
    out.temporary_ = cat(above, ".", name, ".croft-", random_suffix());
    if (kind == Kind::directory) {
        if (mkdir(out.temporary_.c_str(), 0755)) {
            int reason = errno;
            out.temporary_.clear();
            return os_error(reason, cat("making ", quoted(path)));
        }
        out.fd_ = TRY(open_at(AT_FDCWD, out.temporary_.c_str(), O_RDONLY | O_DIRECTORY));
    } else {
        auto file = open_at(AT_FDCWD, out.temporary_.c_str(), O_CREAT | O_EXCL | O_RDWR, 0644);
        if (!file) {
            out.temporary_.clear();
            return std::move(file).error().within(cat("making ", quoted(path)));
        }
        out.fd_ = std::move(*file);
    }
    return out;
}

Staging::Staging(Staging&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, "")),
      kind_(other.kind_),
      fd_(std::move(other.fd_)) {}

Staging::~Staging() {
    if (!temporary_.empty()) remove_anything(temporary_, kind_);
}

Result<> Staging::place(Replace replace) {
    // A whole file system at once for a directory: one call for all of its files.
    if (kind_ == Kind::directory ? syncfs(fd_.get()) : fsync(fd_.get())) return os_error(errno, cat("writing ", quoted(path_)));
    if (!rename(temporary_.c_str(), path_.c_str())) {
        temporary_.clear();
        return {};
    }
    // A directory that is not empty is exchanged; its name is then the temporary's, and goes with it.
    bool full = errno == ENOTEMPTY || errno == EEXIST;
    if (!full || replace == Replace::no) return os_error(errno, cat("making ", quoted(path_)));
    if (renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE))
        return os_error(errno, cat("replacing ", quoted(path_)));
    return {};
}

Result<> write_blob(int directory, const std::string& name, const image::Descriptor& descriptor, const OpenBlob& open) {
    if (exists_at(directory, name.c_str())) return {};
    std::string temporary = cat(name, ".croft-", random_suffix());
    Fd file = TRY(open_at(directory, temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0644));
    OnExit remove([&] { unlinkat(directory, temporary.c_str(), 0); });
    std::unique_ptr<Source> source = checked(TRY(open(0)), descriptor);
    std::unique_ptr<Sink> sink = archive::write_fd(file.get(), name);
    TRY(archive::copy(*source, *sink));
    TRY(sink->finish());
    if (renameat(directory, temporary.c_str(), directory, name.c_str())) return os_error(errno, cat("writing ", name));
    remove.dismiss();
    return {};
}

Result<> write_small(int directory, const std::string& name, std::string_view bytes) {
    std::string temporary = cat(name, ".croft-", random_suffix());
    Fd file = TRY(open_at(directory, temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0644));
    OnExit remove([&] { unlinkat(directory, temporary.c_str(), 0); });
    TRY(write_all(file.get(), bytes));
    if (fsync(file.get())) return os_error(errno, cat("writing ", name));
    if (renameat(directory, temporary.c_str(), directory, name.c_str())) return os_error(errno, cat("writing ", name));
    remove.dismiss();
    return {};
}

}  // namespace croft::registry
