// gzip by zlib, where there is no ISA-L (gzip_isal.cc).
#include <zlib.h>

#include "archive/codec.h"
#include "base/text.h"

namespace croft::archive {

namespace {

constexpr int gzip_window = MAX_WBITS + 16;

void give(z_stream& stream, std::span<const std::byte> in, std::span<std::byte> out) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
}

class GzipDecoder : public Decoder {
  public:
    GzipDecoder() { usable_ = inflateInit2(&stream_, gzip_window) == Z_OK; }
    ~GzipDecoder() override { inflateEnd(&stream_); }
    Result<CodecStep> step(std::span<const std::byte> in, std::span<std::byte> out) override {
        if (!usable_) return error(Errc::failed, "zlib has no memory");
        give(stream_, in, out);
        int code = inflate(&stream_, Z_NO_FLUSH);
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            return error(Errc::invalid,
                         cat("the gzip data is damaged: ", stream_.msg ? stream_.msg : "no reason given"));
        return CodecStep{in.size() - stream_.avail_in, out.size() - stream_.avail_out, code == Z_STREAM_END};
    }
    Result<> restart() override {
        inflateReset(&stream_);
        return {};
    }

  private:
    z_stream stream_ = {};
    bool usable_;
};

class GzipEncoder : public Encoder {
  public:
    explicit GzipEncoder(int level) {
        usable_ = deflateInit2(&stream_,
                               level == 0  ? Z_DEFAULT_COMPRESSION
                               : level > 9 ? 9
                                           : level,
                               Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    }
    ~GzipEncoder() override { deflateEnd(&stream_); }
    Result<CodecStep> step(std::span<const std::byte> in, std::span<std::byte> out, bool last) override {
        if (!usable_) return error(Errc::failed, "zlib has no memory");
        give(stream_, in, out);
        int code = deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
        return CodecStep{in.size() - stream_.avail_in, out.size() - stream_.avail_out, code == Z_STREAM_END};
    }

  private:
    z_stream stream_ = {};
    bool usable_;
};

}  // namespace

std::unique_ptr<Decoder> gzip_decoder() {
    return std::make_unique<GzipDecoder>();
}
std::unique_ptr<Encoder> gzip_encoder(int level) {
    return std::make_unique<GzipEncoder>(level);
}

}  // namespace croft::archive
