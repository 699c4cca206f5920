// A tar archive that several threads fill at once: each file has its place from the moment its size is known. Entries have
// no owner and no time, so the same files make the same bytes when they are added in the same order.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "base/result.h"
#include "base/stream.h"

namespace croft::registry {

class TarWriter {
  public:
    // The file stays the caller's; `what` is its name for messages.
    TarWriter(int fd, std::string what) : fd_(fd), what_(std::move(what)) {}

    // Exactly `size` bytes; others are an error.
    Result<> add(const std::string& name, uint64_t size, Source& content);
    Result<> add(const std::string& name, std::string_view bytes);
    // Of a size that shows at the end, under a name that is known then ("": it is not wanted after all). One at a time;
    // others wait.
    Result<> add_growing(Source& content, const std::function<Result<std::string>(uint64_t size)>& name);
    Result<> finish();

  private:
    Result<> write_at(uint64_t at, const void* bytes, size_t length);
    Result<uint64_t> copy_at(uint64_t at, Source& content);
    // Where the content stands behind it.
    Result<uint64_t> write_headers(uint64_t at, const std::string& name, uint64_t size);

    int fd_;
    std::string what_;
    std::mutex mutex_;
    uint64_t end_ = 0;
};

}  // namespace croft::registry
