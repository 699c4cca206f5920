// A disk's bytes by position: an image file, a block device, a qcow2 image, or memory (tests, fuzzing).
//
// Whoever reads formats from one must expect anything in it: images come from strangers. Numbers are taken out of bytes
// by little() and big(), so nothing depends on this machine's byte order or alignment.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace croft::disk {

class RandomAccess {
  public:
    virtual ~RandomAccess() = default;
    virtual uint64_t size() const = 0;  // bytes
    // Fills all of `room`; what lies beyond the end is an error.
    virtual Result<> read(uint64_t offset, std::span<std::byte> room) = 0;
    // From `offset` on, so many bytes are known to be zeros, without their being read; 0: perhaps not.
    virtual Result<uint64_t> zeros(uint64_t) { return 0; }
};

// A regular file or a block device, open for reading.
Result<std::unique_ptr<RandomAccess>> open_file(Fd file);
// The bytes must outlive it.
std::unique_ptr<RandomAccess> open_memory(std::string_view bytes);

// Whether offset + length lies within size, without overflow.
constexpr bool fits(uint64_t offset, uint64_t length, uint64_t size) {
    return offset <= size && length <= size - offset;
}

// The unsigned number at `offset`, which must lie within `bytes`.
template <std::unsigned_integral T>
T little(std::span<const std::byte> bytes, size_t offset) {
    T value = 0;
    for (size_t i = 0; i < sizeof(T); ++i)
        value = static_cast<T>(value | static_cast<T>(static_cast<T>(bytes[offset + i]) << (8 * i)));
    return value;
}
template <std::unsigned_integral T>
T big(std::span<const std::byte> bytes, size_t offset) {
    T value = 0;
    for (size_t i = 0; i < sizeof(T); ++i)
        value = static_cast<T>(static_cast<T>(value << (sizeof(T) > 1 ? 8 : 0)) | static_cast<T>(bytes[offset + i]));
    return value;
}
inline bool has_text(std::span<const std::byte> bytes, size_t offset, std::string_view text) {
    if (!fits(offset, text.size(), bytes.size())) return false;
    for (size_t i = 0; i < text.size(); ++i)
        if (bytes[offset + i] != static_cast<std::byte>(text[i])) return false;
    return true;
}

}  // namespace croft::disk
