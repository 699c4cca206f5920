#include "registry/tar_writer.h"

#include <unistd.h>

#include <cerrno>
#include <memory>

#include "archive/tar_writer.h"
#include "base/text.h"

namespace croft::registry {

namespace {
constexpr uint64_t block = 512;
constexpr size_t buffer_size = 128 << 10;

uint64_t padded(uint64_t size) {
    return (size + block - 1) / block * block;
}

archive::Entry entry_of(const std::string& name, uint64_t size) {
    archive::Entry entry;
    entry.path = name, entry.mode = 0644;
    entry.size = entry.stored = size;
    return entry;
}
}  // namespace

Result<> TarWriter::write_at(uint64_t at, const void* bytes, size_t length) {
    auto from = static_cast<const char*>(bytes);
    while (length) {
        ssize_t count = pwrite(fd_, from, length, static_cast<off_t>(at));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os_error(errno, cat("writing ", what_));
        from += count, at += static_cast<uint64_t>(count), length -= static_cast<size_t>(count);
    }
    return {};
}

Result<uint64_t> TarWriter::copy_at(uint64_t at, Source& content) {
    auto buffer = std::make_unique<std::byte[]>(buffer_size);
    uint64_t done = 0;
    while (size_t count = TRY(content.read({buffer.get(), buffer_size}))) {
        TRY(write_at(at + done, buffer.get(), count));
        done += count;
    }
    return done;
}

Result<uint64_t> TarWriter::write_headers(uint64_t at, const std::string& name, uint64_t size) {
    std::string out = archive::tar_header(entry_of(name, size));
    TRY(write_at(at, out.data(), out.size()));
    return at + out.size();
}

Result<> TarWriter::add(const std::string& name, uint64_t size, Source& content) {
    uint64_t at;
    {
        std::lock_guard lock(mutex_);
        at = TRY(write_headers(end_, name, size));
        end_ = at + padded(size);
    }
    uint64_t done = TRY(copy_at(at, content));
    if (done != size)
        return error(Errc::invalid, cat("writing ", quoted(name), " into ", what_, ": it has ", done,
                                        " bytes, and ", size, " were promised"));
    return {};
}

Result<> TarWriter::add(const std::string& name, std::string_view bytes) {
    std::lock_guard lock(mutex_);
    uint64_t at = TRY(write_headers(end_, name, bytes.size()));
    TRY(write_at(at, bytes.data(), bytes.size()));
    end_ = at + padded(bytes.size());
    return {};
}

Result<> TarWriter::add_growing(Source& content, const std::function<Result<std::string>(uint64_t)>& name) {
    std::lock_guard lock(mutex_);
    // Room for one header of each kind, whatever the name will be: a comment sees to it that there is an extended one.
    constexpr uint64_t room = 3 * block;
    uint64_t size = TRY(copy_at(end_ + room, content));
    std::string final_name = TRY(name(size));
    if (final_name.empty())
        return ftruncate(fd_, static_cast<off_t>(end_)) ? Result<>(os_error(errno, cat("writing ", what_)))
                                                        : Result<>();
    archive::Entry entry = entry_of(final_name, size);
    entry.comment = "layer";
    std::string out = archive::tar_header(entry);
    if (out.size() != room)
        return error(Errc::invalid,
                     cat("writing ", quoted(final_name), " into ", what_, ": its name is too long"));
    TRY(write_at(end_, out.data(), out.size()));
    end_ += room + padded(size);
    return {};
}

Result<> TarWriter::finish() {
    // The last block may not be full, and two of zeros are the end.
    if (ftruncate(fd_, static_cast<off_t>(end_ + 2 * block))) return os_error(errno, cat("writing ", what_));
    return {};
}

}  // namespace croft::registry
