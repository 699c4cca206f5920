// The hash of a stream, by OpenSSL's libcrypto (which uses the processor's instructions for it).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace croft::archive {

// The algorithms that image-spec registers (descriptor.md, "Registered algorithms").
enum class HashAlgorithm { sha256, sha512 };
std::string_view name_of(HashAlgorithm algorithm);  // "sha256"
size_t hex_length(HashAlgorithm algorithm);         // 64, 128

class Hasher {
  public:
    explicit Hasher(HashAlgorithm algorithm = HashAlgorithm::sha256);
    Hasher(Hasher&&) noexcept;
    Hasher& operator=(Hasher&&) noexcept;
    ~Hasher();

    void update(std::span<const std::byte> bytes);
    // "ALGORITHM:HEX", as a digest is written; once.
    std::string digest();

  private:
    struct State;
    std::unique_ptr<State> state;
};

}  // namespace croft::archive
