// Zstandard by its own library. Skippable frames are skipped by it.
#include <zstd.h>

#include <algorithm>

#include "archive/codec.h"
#include "base/text.h"

namespace croft::archive {

namespace {

// As the zstd program reads without being asked for more: 128 MiB, only where a frame says that it needs that
// much.
constexpr int largest_window_log = 27;
// Of our own frames: 8 MiB at most at any level, so that reading them back takes little.
constexpr int own_window_log = 23;

class ZstdDecoder : public Decoder {
  public:
    ZstdDecoder() : context_(ZSTD_createDCtx()) {
        if (context_) ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, largest_window_log);
    }
    ~ZstdDecoder() override { ZSTD_freeDCtx(context_); }
    Result<CodecStep> step(std::span<const std::byte> in, std::span<std::byte> out) override {
        if (!context_) return error(Errc::failed, "zstd has no memory");
        ZSTD_inBuffer input{in.data(), in.size(), 0};
        ZSTD_outBuffer output{out.data(), out.size(), 0};
        size_t code = ZSTD_decompressStream(context_, &output, &input);
        if (ZSTD_isError(code))
            return error(Errc::invalid, cat("the zstd data is damaged: ", ZSTD_getErrorName(code)));
        return CodecStep{input.pos, output.pos, code == 0};
    }
    Result<> restart() override { return {}; }

  private:
    ZSTD_DCtx* context_;
};

class ZstdEncoder : public Encoder {
  public:
    explicit ZstdEncoder(int level) : context_(ZSTD_createCCtx()) {
        if (!context_) return;
        ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel,
                               level == 0 ? ZSTD_CLEVEL_DEFAULT : std::min(level, ZSTD_maxCLevel()));
        ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
        if (level > 16) ZSTD_CCtx_setParameter(context_, ZSTD_c_windowLog, own_window_log);
    }
    ~ZstdEncoder() override { ZSTD_freeCCtx(context_); }
    Result<CodecStep> step(std::span<const std::byte> in, std::span<std::byte> out, bool last) override {
        if (!context_) return error(Errc::failed, "zstd has no memory");
        ZSTD_inBuffer input{in.data(), in.size(), 0};
        ZSTD_outBuffer output{out.data(), out.size(), 0};
        size_t code = ZSTD_compressStream2(context_, &output, &input, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(code))
            return error(Errc::failed, cat("compressing with zstd failed: ", ZSTD_getErrorName(code)));
        return CodecStep{input.pos, output.pos, last && code == 0};
    }

  private:
    ZSTD_CCtx* context_;
};

}  // namespace

std::unique_ptr<Decoder> zstd_decoder() {
    return std::make_unique<ZstdDecoder>();
}
std::unique_ptr<Encoder> zstd_encoder(int level) {
    return std::make_unique<ZstdEncoder>(level);
}

}  // namespace croft::archive
