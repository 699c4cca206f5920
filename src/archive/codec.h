// What a compression library does, step by step, behind one interface. For compression.cc only.
#pragma once

#include <memory>
#include <span>

#include "base/stream.h"

namespace croft::archive {

struct CodecStep {
    size_t consumed = 0, produced = 0;
    bool ended = false;  // reading: a member (frame, stream) ended exactly here. Writing: all is out
};

class Decoder {
  public:
    virtual ~Decoder() = default;
    // Consumes and produces what it can. Damage is an error.
    virtual Result<CodecStep> step(std::span<const std::byte> in, std::span<std::byte> out) = 0;
    // The next member follows at once.
    virtual Result<> restart() = 0;
    // Whether what stands between members, or behind the last one, is filling (zeros that tapes and block
    // devices leave).
    virtual bool is_filling(std::byte byte) const { return byte == std::byte{0}; }
};

class Encoder {
  public:
    virtual ~Encoder() = default;
    // `last`: nothing comes after `in`; called until it has ended.
    virtual Result<CodecStep> step(std::span<const std::byte> in, std::span<std::byte> out, bool last) = 0;
};

std::unique_ptr<Decoder> gzip_decoder();
std::unique_ptr<Decoder> zstd_decoder();
std::unique_ptr<Decoder> xz_decoder();
std::unique_ptr<Decoder> bzip2_decoder();
std::unique_ptr<Encoder> gzip_encoder(int level);
std::unique_ptr<Encoder> zstd_encoder(int level);
std::unique_ptr<Encoder> xz_encoder(int level);

}  // namespace croft::archive
