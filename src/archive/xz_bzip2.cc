// xz by liblzma, bzip2 by libbz2 (which is only read: nobody should write it any more).
#include <bzlib.h>
#include <lzma.h>

#include <algorithm>

#include "archive/codec.h"
#include "base/text.h"

namespace croft::archive {

namespace {

// xz -9 needs 65 MiB to read.
constexpr uint64_t xz_memory = 192 << 20;
constexpr uint32_t xz_usual_level = 6;

Result<> xz_result(lzma_ret code) {
    switch (code) {
        case LZMA_OK:
        case LZMA_STREAM_END:
        case LZMA_BUF_ERROR:
            return {};
        case LZMA_MEMLIMIT_ERROR:
            return error(Errc::unsupported, "the xz data wants more than 192 MiB of memory to be read");
        case LZMA_MEM_ERROR:
            return error(Errc::failed, "there is no memory for xz");
        case LZMA_FORMAT_ERROR:
            return error(Errc::invalid, "this is no xz data");
        case LZMA_OPTIONS_ERROR:
            return error(Errc::unsupported, "the xz data uses options that this liblzma does not know");
        default:
            return error(Errc::invalid, cat("the xz data is damaged (code ", static_cast<int>(code), ")"));
    }
}

struct XzStream {
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_ret started = LZMA_OK;
    ~XzStream() { lzma_end(&stream); }
    Result<CodecStep> step(std::span<const std::byte> in, std::span<std::byte> out, lzma_action action) {
        TRY(xz_result(started));
        stream.next_in = reinterpret_cast<const uint8_t*>(in.data());
        stream.avail_in = in.size();
        stream.next_out = reinterpret_cast<uint8_t*>(out.data());
        stream.avail_out = out.size();
        lzma_ret code = lzma_code(&stream, action);
        TRY(xz_result(code));
        return CodecStep{in.size() - stream.avail_in, out.size() - stream.avail_out, code == LZMA_STREAM_END};
    }
};

class XzDecoder : public Decoder {
  public:
    XzDecoder() { (void)restart(); }
    Result<CodecStep> step(std::span<const std::byte> in, std::span<std::byte> out) override {
        return xz_.step(in, out, LZMA_RUN);
    }
    Result<> restart() override {
        xz_.started = lzma_stream_decoder(&xz_.stream, xz_memory, 0);
        return xz_result(xz_.started);
    }

  private:
    XzStream xz_;
};

class XzEncoder : public Encoder {
  public:
    explicit XzEncoder(int level) {
        uint32_t preset = level == 0 ? xz_usual_level : static_cast<uint32_t>(std::clamp(level, 1, 9));
        xz_.started = lzma_easy_encoder(&xz_.stream, preset, LZMA_CHECK_CRC64);
    }
    Result<CodecStep> step(std::span<const std::byte> in, std::span<std::byte> out, bool last) override {
        return xz_.step(in, out, last ? LZMA_FINISH : LZMA_RUN);
    }

  private:
    XzStream xz_;
};

class Bzip2Decoder : public Decoder {
  public:
    Bzip2Decoder() { (void)restart(); }
    ~Bzip2Decoder() override { BZ2_bzDecompressEnd(&stream_); }
    Result<CodecStep> step(std::span<const std::byte> in, std::span<std::byte> out) override {
        stream_.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(in.data()));
        stream_.avail_in = static_cast<unsigned>(in.size());
        stream_.next_out = reinterpret_cast<char*>(out.data());
        stream_.avail_out = static_cast<unsigned>(out.size());
        int code = BZ2_bzDecompress(&stream_);
        if (code == BZ_MEM_ERROR) return error(Errc::failed, "there is no memory for bzip2");
        if (code < 0) return error(Errc::invalid, cat("the bzip2 data is damaged (code ", code, ")"));
        return CodecStep{in.size() - stream_.avail_in, out.size() - stream_.avail_out, code == BZ_STREAM_END};
    }
    Result<> restart() override {
        BZ2_bzDecompressEnd(&stream_);
        stream_ = {};
        if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK)
            return error(Errc::failed, "there is no memory for bzip2");
        return {};
    }

  private:
    bz_stream stream_ = {};
};

}  // namespace

std::unique_ptr<Decoder> xz_decoder() {
    return std::make_unique<XzDecoder>();
}
std::unique_ptr<Encoder> xz_encoder(int level) {
    return std::make_unique<XzEncoder>(level);
}
std::unique_ptr<Decoder> bzip2_decoder() {
    return std::make_unique<Bzip2Decoder>();
}

}  // namespace croft::archive
