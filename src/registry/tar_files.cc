// Files in a tar archive (files.h).
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "archive/compression.h"
#include "archive/streams.h"
#include "base/fd.h"
#include "base/text.h"
#include "registry/files.h"
#include "registry/tar_index.h"

namespace croft::registry {

namespace {
// Its descriptor is shared by all who read, so it has a place of its own.
class PartOfFile : public Source {
  public:
    PartOfFile(Fd fd, std::string what, uint64_t offset, uint64_t length)
        : fd_(std::move(fd)), what_(std::move(what)), offset_(offset), left_(length) {}

    Result<size_t> read(std::span<std::byte> room) override {
        size_t wanted = std::min<uint64_t>(room.size(), left_);
        if (!wanted) return size_t(0);
        ssize_t count;
        do count = pread(fd_.get(), room.data(), wanted, static_cast<off_t>(offset_));
        while (count < 0 && errno == EINTR);
        if (count < 0) return os_error(errno, cat("reading ", what_));
        if (!count) return error(Errc::invalid, cat(quoted(what_), " has become shorter while it was read"));
        offset_ += static_cast<uint64_t>(count), left_ -= static_cast<uint64_t>(count);
        return static_cast<size_t>(count);
    }

  private:
    Fd fd_;
    std::string what_;
    uint64_t offset_, left_;
};

class TarFiles : public Files {
  public:
    TarFiles(std::string path, Fd file, TarIndex index)
        : path_(std::move(path)), file_(std::move(file)), index_(std::move(index)) {}
    const std::string& path() const override { return path_; }

    Result<uint64_t> size(const std::string& name) const override { return TRY(find(name))->size; }

    Result<std::unique_ptr<Source>> open(const std::string& name, uint64_t offset) const override {
        const TarEntry* entry = TRY(find(name));
        int copy = fcntl(file_.get(), F_DUPFD_CLOEXEC, 0);
        if (copy < 0) return os_error(errno, cat("reading ", path_));
        offset = std::min(offset, entry->size);
        return std::make_unique<PartOfFile>(Fd(copy), cat(path_, "/", name), entry->offset + offset, entry->size - offset);
    }

  private:
    Result<const TarEntry*> find(std::string name) const {
        while (name.starts_with("./")) name.erase(0, 2);
        // As many steps as a chain of links can honestly have.
        for (unsigned step = 0; step < 8; ++step) {
            auto found = index_.find(name);
            if (found == index_.end()) return error(Errc::not_found, cat("there is no ", quoted(name), " in ", quoted(path_)));
            if (found->second.link.empty()) return &found->second;
            name = found->second.link;
        }
        return error(Errc::invalid, cat("links in ", quoted(path_), " go round in a circle at ", quoted(name)));
    }

    std::string path_;
    Fd file_;
    TarIndex index_;
};

// A pipe or a compressed archive becomes a file that can be read anywhere.
Result<Fd> seekable(Fd file, const std::string& path, const PlaceOptions& options) {
    std::string first;
    std::unique_ptr<Source> source = TRY(archive::peek(archive::read_fd(std::move(file), path), archive::sniff_length, first));
    archive::Compression compression = archive::sniff(std::as_bytes(std::span(first)));
    source = TRY(archive::decompress(std::move(source), compression, {.ratio = 4096}));
    Fd copy = TRY(temporary_file(options));
    std::unique_ptr<Sink> sink = archive::write_fd(copy.get(), "a temporary file");
    TRY(archive::copy(*source, *sink).within(cat("unpacking ", path)));
    TRY(sink->finish());
    return copy;
}

Result<bool> is_plain_file(const Fd& file, const std::string& path) {
    struct stat status;
    if (fstat(file.get(), &status)) return os_error(errno, cat("looking at ", path));
    if (S_ISDIR(status.st_mode)) return error(Errc::invalid, cat(quoted(path), " is a directory, and no archive"));
    if (!S_ISREG(status.st_mode)) return false;
    char first[archive::sniff_length];
    ssize_t count = pread(file.get(), first, sizeof first, 0);
    if (count < 0) return os_error(errno, cat("reading ", path));
    return archive::sniff(std::as_bytes(std::span(first, static_cast<size_t>(count)))) == archive::Compression::none;
}
}  // namespace

Result<Fd> temporary_file(const PlaceOptions& options) {
    const char* variable = getenv("TMPDIR");
    std::string where = !options.temporary.empty() ? options.temporary : variable && *variable ? variable : "/var/tmp";
    auto file = open_at(AT_FDCWD, where.c_str(), O_TMPFILE | O_RDWR, 0600);
    return std::move(file).within(cat("a temporary file in ", quoted(where), " ($TMPDIR names another directory)"));
}

Result<std::unique_ptr<Files>> open_tar(const std::string& path, const PlaceOptions& options) {
    Fd file = TRY(open_at(AT_FDCWD, path.c_str(), O_RDONLY));
    if (!TRY(is_plain_file(file, path))) file = TRY(seekable(std::move(file), path, options));
    TarIndex index = TRY(read_tar_index(file.get(), path));
    return std::make_unique<TarFiles>(path, std::move(file), std::move(index));
}

}  // namespace croft::registry
