#include "disk/random_access.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace croft::disk {
namespace {

Error beyond(uint64_t offset, size_t length, uint64_t size) {
    return error(Errc::invalid, cat("bytes ", offset, " to ", offset + length, " are wanted of an image of ", size,
                                    " bytes: it is cut off"));
}

class File : public RandomAccess {
  public:
    File(Fd file, uint64_t size) : file_(std::move(file)), size_(size) {}
    uint64_t size() const override { return size_; }
    Result<> read(uint64_t offset, std::span<std::byte> room) override;
    Result<uint64_t> zeros(uint64_t offset) override;

  private:
    Fd file_;
    uint64_t size_;
};

Result<> File::read(uint64_t offset, std::span<std::byte> room) {
    if (!fits(offset, room.size(), size_)) return beyond(offset, room.size(), size_);
    while (!room.empty()) {
        ssize_t n = pread(file_.get(), room.data(), room.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error(errno, "reading the image");
        if (n == 0) return error(Errc::failed, "the image became shorter while it was read");
        room = room.subspan(static_cast<size_t>(n)), offset += static_cast<uint64_t>(n);
    }
    return {};
}

// A hole of the file: where its file system cannot tell, there is none.
Result<uint64_t> File::zeros(uint64_t offset) {
    off_t data = lseek(file_.get(), static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0) return errno == ENXIO && offset < size_ ? size_ - offset : 0;
    return static_cast<uint64_t>(data) - offset;
}

class Memory : public RandomAccess {
  public:
    explicit Memory(std::string_view bytes) : bytes_(bytes) {}
    uint64_t size() const override { return bytes_.size(); }
    Result<> read(uint64_t offset, std::span<std::byte> room) override {
        if (!fits(offset, room.size(), bytes_.size())) return beyond(offset, room.size(), bytes_.size());
        if (!room.empty()) memcpy(room.data(), bytes_.data() + offset, room.size());
        return {};
    }

  private:
    std::string_view bytes_;
};

}  // namespace

Result<std::unique_ptr<RandomAccess>> open_file(Fd file) {
    struct stat st = {};
    if (fstat(file.get(), &st) < 0) return os_error(errno, "looking at the image");
    uint64_t size = static_cast<uint64_t>(st.st_size);
    if (S_ISBLK(st.st_mode)) {
        if (ioctl(file.get(), BLKGETSIZE64, &size) < 0) return os_error(errno, "asking for the size of the device");
    } else if (!S_ISREG(st.st_mode)) {
        return error(Errc::invalid, "it is neither a regular file nor a block device");
    }
    return std::make_unique<File>(std::move(file), size);
}

std::unique_ptr<RandomAccess> open_memory(std::string_view bytes) {
    return std::make_unique<Memory>(bytes);
}

}  // namespace croft::disk
