#include "registry/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "archive/streams.h"
#include "base/fd.h"
#include "base/text.h"

namespace croft::registry {

namespace {
class DirectoryFiles : public Files {
  public:
    DirectoryFiles(std::string path, Fd directory) : path_(std::move(path)), directory_(std::move(directory)) {}
    const std::string& path() const override { return path_; }

    Result<uint64_t> size(const std::string& name) const override {
        Fd file = TRY(open_file(name));
        struct stat status;
        if (fstat(file.get(), &status)) return os_error(errno, cat("looking at ", path_, "/", name));
        return static_cast<uint64_t>(status.st_size);
    }

    Result<std::unique_ptr<Source>> open(const std::string& name, uint64_t offset) const override {
        Fd file = TRY(open_file(name));
        if (lseek(file.get(), static_cast<off_t>(offset), SEEK_SET) < 0)
            return os_error(errno, cat("reading ", path_, "/", name));
        return archive::read_fd(std::move(file), cat(path_, "/", name));
    }

  private:
    // Not blocking: a FIFO in place of a blob must not keep us.
    Result<Fd> open_file(const std::string& name) const {
        Fd file = TRY(open_in_root(directory_.get(), name.c_str(), O_RDONLY | O_NONBLOCK).within(cat(path_, "/", name)));
        struct stat status;
        if (fstat(file.get(), &status)) return os_error(errno, cat("looking at ", path_, "/", name));
        if (!S_ISREG(status.st_mode)) return error(Errc::invalid, cat(quoted(cat(path_, "/", name)), " is no file"));
        return file;
    }

    std::string path_;
    Fd directory_;
};
}  // namespace

Result<std::string> Files::read(const std::string& name, size_t limit) const {
    uint64_t length = TRY(size(name));
    if (length > limit)
        return error(Errc::invalid, cat(quoted(cat(path(), "/", name)), " has ", human_size(length),
                                        ", and at most ", human_size(limit), " are read of its kind"));
    std::unique_ptr<Source> source = TRY(open(name, 0));
    return archive::read_all(*source, limit);
}

Result<std::unique_ptr<Files>> open_directory(const std::string& path) {
    Fd directory = TRY(open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY));
    return std::make_unique<DirectoryFiles>(path, std::move(directory));
}

}  // namespace croft::registry
