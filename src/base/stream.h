// Bytes that come and bytes that go: the two interfaces between what reads, packs, compresses, hashes and sends.
//
// Whoever has one owns it, and uses it from one thread at a time. Nothing is buffered that the other side could miss:
// a Sink's bytes count only after finish().
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"

namespace croft {

class Source {
public:
    virtual ~Source() = default;
    // Fills some of `room` (not empty) and returns how much; 0 only at the end. After an error it is not read again.
    virtual Result<size_t> read(std::span<std::byte> room) = 0;
};

class Sink {
public:
    virtual ~Sink() = default;
    // Takes all of them, or fails; after an error it is not written again.
    virtual Result<> write(std::span<const std::byte> bytes) = 0;
    // Writes what is kept back, and the end where the format has one. Once; a sink that is left without it has no
    // whole output.
    virtual Result<> finish() { return {}; }
};

}  // namespace croft
