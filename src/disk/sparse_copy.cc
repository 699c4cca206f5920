#include "disk/sparse_copy.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/text.h"

namespace croft::disk {
namespace {

constexpr size_t chunk_size = 1 << 20, block = 4096;

bool all_zero(std::span<const std::byte> bytes) {
    // Each byte is the one before it, and the first is zero: memcmp does that at the speed of memory.
    return bytes.empty() || (bytes[0] == std::byte{0} && memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

Result<> write_at(int file, std::span<const std::byte> bytes, uint64_t offset) {
    while (!bytes.empty()) {
        ssize_t n = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error(errno, "writing the image");
        bytes = bytes.subspan(static_cast<size_t>(n)), offset += static_cast<uint64_t>(n);
    }
    return {};
}

// The blocks of a chunk that are not zero, in runs as long as they go.
Result<> write_chunk(int file, std::span<const std::byte> chunk, uint64_t offset) {
    size_t begin = 0;
    auto flush = [&](size_t end) {
        return begin < end ? write_at(file, chunk.subspan(begin, end - begin), offset + begin) : Result<>();
    };
    for (size_t at = 0; at < chunk.size(); at += block) {
        size_t length = std::min(block, chunk.size() - at);
        if (!all_zero(chunk.subspan(at, length))) continue;
        TRY(flush(at));
        begin = at + length;
    }
    return flush(chunk.size());
}

}  // namespace

Result<> sparse_copy(RandomAccess& disk, int file, const std::function<bool(uint64_t)>& progress, uint64_t start) {
    uint64_t size = disk.size();
    if (ftruncate(file, static_cast<off_t>(start + size)) < 0) return os_error(errno, "making the image as long as its disk");
    std::vector<std::byte> chunk(chunk_size);
    for (uint64_t at = 0; at < size;) {
        if (progress && !progress(at)) return error(Errc::failed, "the copy was stopped");
        if (uint64_t hole = TRY(disk.zeros(at))) {
            at += hole;
            continue;
        }
        auto part = std::span(chunk).first(std::min<uint64_t>(chunk_size, size - at));
        TRY(disk.read(at, part));
        TRY(write_chunk(file, part, start + at));
        at += part.size();
    }
    if (progress) progress(size);
    return {};
}

}  // namespace croft::disk
