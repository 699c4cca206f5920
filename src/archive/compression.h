// Streams of compressed bytes: told by their first bytes, read and written piece by piece.
//
// Memory does not depend on the stream's length. All members of a gzip, bzip2 or xz file and all frames of a
// zstd file are read, skippable frames are skipped; a stream that ends before its own end mark is an error,
// never a short file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/stream.h"

namespace croft::archive {

enum class Compression { none, gzip, zstd, xz, bzip2 };
std::string_view name_of(Compression compression);                 // "none", "gzip", "zstd", "xz", "bzip2"
std::optional<Compression> compression_of(std::string_view name);  // those, and "gz", "zst", "bz2"
std::string_view suffix_of(Compression compression);               // "", ".gz", ".zst", ".xz", ".bz2"

// How many bytes sniff() wants to see; with fewer it may say none.
constexpr size_t sniff_length = 6;
// By the magic number alone (RFC 1952, RFC 8878, the .xz format, bzip2's "BZh"); none when it is no known
// one.
Compression sniff(std::span<const std::byte> first);

// What a decompressor may make of its input before it is taken for a bomb; 0 is without limit.
struct DecompressLimits {
    uint64_t bytes = 0;  // of output, altogether
    uint64_t ratio = 0;  // output to input, looked at once the output is over 64 MiB
    bool disk = false;   // `bytes` is what the disk has room for: over it is no_space
};

// `none` passes everything through (and keeps to the limits). The errors of the source come through; damaged
// data and limits are Errc::invalid.
Result<std::unique_ptr<Source>> decompress(std::unique_ptr<Source> from, Compression compression,
                                           DecompressLimits limits = {});

// level 0 is the format's usual one; others are clamped to what the format knows. Not for bzip2
// (unsupported). The same input makes the same output on every run of the same libraries.
Result<std::unique_ptr<Sink>> compress(std::unique_ptr<Sink> to, Compression compression, int level = 0);

}  // namespace croft::archive
