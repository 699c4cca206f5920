#include "images/qcow2_codec.h"

#include <zlib.h>
#include <zstd.h>

#include <memory>

#include "base/text.h"

namespace croft::images {
namespace {

// QEMU writes raw deflate without a header, with a window of 2^12 bytes.
constexpr int window_bits = -12;

Error damaged() {
    return error(Errc::invalid, "its compressed bytes are damaged");
}

Result<> inflate_cluster(std::span<const std::byte> packed, std::span<std::byte> out) {
    z_stream stream = {};
    if (inflateInit2(&stream, window_bits) != Z_OK) return error(Errc::no_space, "no memory to unpack with");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    int done = inflate(&stream, Z_FINISH);
    bool whole = stream.avail_out == 0 && (done == Z_STREAM_END || done == Z_BUF_ERROR || done == Z_OK);
    inflateEnd(&stream);
    return whole ? Result<>() : damaged();
}

// What follows the frame is the rest of a sector.
Result<> unzstd_cluster(std::span<const std::byte> packed, std::span<std::byte> out) {
    std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
    if (!context) return error(Errc::no_space, "no memory to unpack with");
    ZSTD_inBuffer in = {packed.data(), packed.size(), 0};
    ZSTD_outBuffer to = {out.data(), out.size(), 0};
    while (to.pos < to.size) {
        size_t before_in = in.pos, before_out = to.pos;
        size_t left = ZSTD_decompressStream(context.get(), &to, &in);
        if (ZSTD_isError(left) || (in.pos == before_in && to.pos == before_out)) return damaged();
    }
    return {};
}

}  // namespace

Result<> unpack_cluster(std::span<const std::byte> packed, disk::Qcow2Compression kind, std::span<std::byte> out) {
    return kind == disk::Qcow2Compression::zstd ? unzstd_cluster(packed, out) : inflate_cluster(packed, out);
}

}  // namespace croft::images
