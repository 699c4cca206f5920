#include "archive/compression.h"

#include <algorithm>
#include <array>
#include <vector>

#include "archive/codec.h"
#include "base/text.h"

namespace croft::archive {

namespace {

using namespace std::string_view_literals;
constexpr size_t piece_size = 256 << 10;
constexpr uint64_t ratio_counts_from = 64 << 20;

struct Kind {
    Compression compression;
    std::string_view name, short_name, suffix, magic;
    std::unique_ptr<Decoder> (*decoder)();
    std::unique_ptr<Encoder> (*encoder)(int level);
};
constexpr std::array<Kind, 5> kinds = {{
    {Compression::none, "none", "none", "", "", nullptr, nullptr},
    {Compression::gzip, "gzip", "gz", ".gz", "\x1f\x8b\x08"sv, gzip_decoder, gzip_encoder},
    {Compression::zstd, "zstd", "zst", ".zst", "\x28\xb5\x2f\xfd"sv, zstd_decoder, zstd_encoder},
    {Compression::xz, "xz", "xz", ".xz",
     "\xfd"sv
     "7zXZ\0"sv,
     xz_decoder, xz_encoder},
    {Compression::bzip2, "bzip2", "bz2", ".bz2", "BZh"sv, bzip2_decoder, nullptr},
}};
const Kind& kind_of(Compression compression) {
    return kinds[static_cast<size_t>(compression)];
}

// A zstd file may start with skippable frames: 0x184D2A50 to 5F, little endian.
bool is_skippable_frame(std::string_view first) {
    return first.size() >= 4 && (first[0] & 0xf0) == 0x50 && first.substr(1, 3) == "\x2a\x4d\x18"sv;
}

// Counts what went in and came out, against the limits.
class Limiter {
  public:
    explicit Limiter(DecompressLimits limits) : limits_(limits) {}
    void took(uint64_t bytes) { in_ += bytes; }
    Result<> gave(uint64_t bytes) {
        out_ += bytes;
        if (limits_.bytes && out_ > limits_.bytes && limits_.disk)
            return error(Errc::no_space, cat("it has more than ", human_size(limits_.bytes),
                                             ", which is all that is free there"));
        if (limits_.bytes && out_ > limits_.bytes)
            return error(Errc::invalid, cat("it is longer than ", human_size(limits_.bytes), ", the limit"));
        if (limits_.ratio && out_ > ratio_counts_from && out_ / limits_.ratio > in_)
            return error(Errc::invalid,
                         cat("it grows to more than ", limits_.ratio,
                             " times its size, the limit: such an archive is made to fill disks"));
        return {};
    }

  private:
    DecompressLimits limits_;
    uint64_t in_ = 0, out_ = 0;
};

class PlainSource : public Source {
  public:
    PlainSource(std::unique_ptr<Source> from, DecompressLimits limits)
        : from_(std::move(from)), limiter_({limits.bytes, 0, limits.disk}) {}
    Result<size_t> read(std::span<std::byte> room) override {
        size_t n = TRY(from_->read(room));
        TRY(limiter_.gave(n));
        return n;
    }

  private:
    std::unique_ptr<Source> from_;
    Limiter limiter_;
};

class DecodingSource : public Source {
  public:
    DecodingSource(std::unique_ptr<Source> from, const Kind& kind, DecompressLimits limits)
        : from_(std::move(from)),
          kind_(kind),
          decoder_(kind.decoder()),
          limiter_(limits),
          piece_(piece_size) {}

    Result<size_t> read(std::span<std::byte> room) override {
        for (;;) {
            if (in_.empty() && !ended_) TRY(refill());
            if (between_members_ && !TRY(next_member())) return 0;
            CodecStep step = TRY(decoder_->step(in_, room));
            in_ = in_.subspan(step.consumed);
            between_members_ = step.ended;
            if (step.produced) {
                TRY(limiter_.gave(step.produced));
                return step.produced;
            }
            if (!step.ended && step.consumed == 0 && in_.empty() && ended_)
                return error(Errc::invalid,
                             cat("the ", kind_.name, " data ends before its end mark: it was cut off"));
        }
    }

  private:
    Result<> refill() {
        size_t n = TRY(from_->read(piece_));
        limiter_.took(n);
        in_ = std::span(piece_).first(n);
        ended_ = n == 0;
        return {};
    }
    // Behind a member, with input unless that has ended: whether another one starts, or nothing but filling is left.
    Result<bool> next_member() {
        while (members_ && !in_.empty() && decoder_->is_filling(in_.front())) {
            in_ = in_.subspan(1);
            if (in_.empty() && !ended_) TRY(refill());
        }
        if (in_.empty()) {
            if (members_) return false;
            return error(Errc::invalid, cat("there is no ", kind_.name, " data: it is empty"));
        }
        if (members_++) TRY(decoder_->restart());
        between_members_ = false;
        return true;
    }

    std::unique_ptr<Source> from_;
    const Kind& kind_;
    std::unique_ptr<Decoder> decoder_;
    Limiter limiter_;
    std::vector<std::byte> piece_;
    std::span<const std::byte> in_;
    bool ended_ = false, between_members_ = true;
    uint64_t members_ = 0;
};

class EncodingSink : public Sink {
  public:
    EncodingSink(std::unique_ptr<Sink> to, std::unique_ptr<Encoder> encoder)
        : to_(std::move(to)), encoder_(std::move(encoder)), piece_(piece_size) {}
    Result<> write(std::span<const std::byte> bytes) override {
        while (!bytes.empty()) bytes = bytes.subspan(TRY(step(bytes, false)).consumed);
        return {};
    }
    Result<> finish() override {
        while (!TRY(step({}, true)).ended) {
        }
        return to_->finish();
    }

  private:
    Result<CodecStep> step(std::span<const std::byte> bytes, bool last) {
        CodecStep step = TRY(encoder_->step(bytes, piece_, last));
        if (step.produced) TRY(to_->write(std::span(piece_).first(step.produced)));
        return step;
    }
    std::unique_ptr<Sink> to_;
    std::unique_ptr<Encoder> encoder_;
    std::vector<std::byte> piece_;
};

}  // namespace

std::string_view name_of(Compression compression) {
    return kind_of(compression).name;
}
std::string_view suffix_of(Compression compression) {
    return kind_of(compression).suffix;
}
std::optional<Compression> compression_of(std::string_view name) {
    for (const Kind& kind : kinds)
        if (name == kind.name || name == kind.short_name) return kind.compression;
    return {};
}

Compression sniff(std::span<const std::byte> first) {
    std::string_view text(reinterpret_cast<const char*>(first.data()), first.size());
    for (const Kind& kind : kinds)
        if (!kind.magic.empty() && text.starts_with(kind.magic)) return kind.compression;
    return is_skippable_frame(text) ? Compression::zstd : Compression::none;
}

Result<std::unique_ptr<Source>> decompress(std::unique_ptr<Source> from, Compression compression,
                                           DecompressLimits limits) {
    const Kind& kind = kind_of(compression);
    if (!kind.decoder) return std::unique_ptr<Source>(std::make_unique<PlainSource>(std::move(from), limits));
    return std::unique_ptr<Source>(std::make_unique<DecodingSource>(std::move(from), kind, limits));
}

Result<std::unique_ptr<Sink>> compress(std::unique_ptr<Sink> to, Compression compression, int level) {
    const Kind& kind = kind_of(compression);
    if (compression == Compression::none) return to;
    if (!kind.encoder) return error(Errc::unsupported, "bzip2 is only read here: write zstd, gzip or xz");
    return std::unique_ptr<Sink>(std::make_unique<EncodingSink>(std::move(to), kind.encoder(level)));
}

}  // namespace croft::archive
