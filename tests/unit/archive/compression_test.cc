#include "archive/compression.h"

#include <gmock/gmock.h>

#include "archive/streams.h"
#include "base/text.h"

namespace croft::archive {
namespace {

using testing::HasSubstr;

// Gives one byte at a time: every state of a decompressor is then one in which it waits for input.
class Dripping : public Source {
  public:
    explicit Dripping(std::string text) : text_(std::move(text)) {}
    Result<size_t> read(std::span<std::byte> room) override {
        if (at_ == text_.size()) return 0;
        room[0] = static_cast<std::byte>(text_[at_++]);
        return 1;
    }

  private:
    std::string text_;
    size_t at_ = 0;
};

std::string packed(Compression compression, std::string_view text, int level = 0) {
    std::string out;
    auto sink = compress(write_text(out), compression, level);
    EXPECT_TRUE(sink);
    EXPECT_TRUE((*sink)->write(std::as_bytes(std::span(text))));
    EXPECT_TRUE((*sink)->finish());
    return out;
}

std::string unpacked(std::unique_ptr<Source> from, Compression compression, DecompressLimits limits = {}) {
    auto source = decompress(std::move(from), compression, limits);
    EXPECT_TRUE(source);
    auto text = read_all(**source, 100 << 20);
    return text ? *text : "error: " + text.error().text;
}
std::string unpacked(std::string text, Compression compression, DecompressLimits limits = {}) {
    return unpacked(read_text(std::move(text)), compression, limits);
}

std::string sample() {
    std::string text;
    for (int i = 0; i < 60'000; ++i) text += cat(i * 7919 % 10'007, i % 3 ? " " : "\n");
    return text;
}

// bzip2 of "croft\n", by bzip2(1).
const std::string bzip2_sample(
    "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\xc8\x38\xd1\x78\x00\x00\x00\xc1\x80\x00\x10\x09"
    "\x00\x94\x00\x20\x00\x22\x18\x68\x30\x01\x52\x98\x5d\xc9\x14\xe1\x42\x43\x20\xe3\x45\xe0",
    44);

constexpr Compression written[] = {Compression::gzip, Compression::zstd, Compression::xz};

TEST(Compression, ThereAndBack) {
    std::string text = sample();
    for (Compression compression : written)
        for (int level : {0, 1, 3, 6, 9}) {
            std::string small = packed(compression, text, level);
            EXPECT_LT(small.size(), text.size() / 2);
            EXPECT_EQ(sniff(std::as_bytes(std::span(small))), compression);
            EXPECT_EQ(unpacked(small, compression), text) << name_of(compression);
            EXPECT_EQ(packed(compression, text, level), small) << "the same each time";
        }
}

TEST(Compression, NothingIsAStreamToo) {
    for (Compression compression : written) {
        EXPECT_EQ(unpacked(packed(compression, ""), compression), "");
        EXPECT_THAT(unpacked("", compression), HasSubstr("it is empty"));
    }
    EXPECT_EQ(unpacked("plain", Compression::none), "plain");
}

TEST(Compression, MembersFramesAndFilling) {
    std::string text = sample();
    for (Compression compression : written) {
        std::string two = packed(compression, text) + packed(compression, "tail");
        EXPECT_EQ(unpacked(two, compression), text + "tail");
        EXPECT_EQ(unpacked(two + std::string(5000, '\0'), compression), text + "tail")
            << name_of(compression);
        EXPECT_EQ(unpacked(std::make_unique<Dripping>(packed(compression, "head") + two), compression),
                  "head" + text + "tail")
            << name_of(compression);
        EXPECT_THAT(unpacked(two + "garbage, and no member", compression), HasSubstr("error"))
            << name_of(compression);
    }
}

TEST(Compression, SkippableFrames) {
    std::string skipped("\x50\x2a\x4d\x18\x03\0\0\0xyz", 11), frame = packed(Compression::zstd, "text");
    EXPECT_EQ(sniff(std::as_bytes(std::span(skipped))), Compression::zstd);
    EXPECT_EQ(unpacked(skipped + frame + skipped, Compression::zstd), "text");
}

TEST(Compression, CutAnywhereIsAnError) {
    for (Compression compression : written) {
        std::string small = packed(compression, "some text that is not long");
        for (size_t length = 1; length < small.size(); ++length)
            EXPECT_THAT(unpacked(small.substr(0, length), compression), HasSubstr("error: "))
                << name_of(compression) << length;
    }
}

TEST(Compression, DamageIsAnError) {
    std::string text = sample();
    for (Compression compression : written) {
        std::string small = packed(compression, text);
        small[small.size() / 2] ^= 0x10;
        EXPECT_THAT(unpacked(small, compression), HasSubstr("damaged")) << name_of(compression);
    }
}

TEST(Compression, Limits) {
    std::string zeros(100 << 20, '\0'), bomb = packed(Compression::zstd, zeros);
    EXPECT_THAT(unpacked(bomb, Compression::zstd, {.bytes = 1 << 20}),
                HasSubstr("longer than 1.0M, the limit"));
    EXPECT_THAT(unpacked(bomb, Compression::zstd, {.ratio = 1000}), HasSubstr("made to fill disks"));
    EXPECT_THAT(unpacked(bomb, Compression::zstd, {.bytes = 1 << 20, .disk = true}),
                HasSubstr("all that is free"));
    EXPECT_THAT(unpacked(zeros, Compression::none, {.bytes = 1 << 20}), HasSubstr("the limit"));
    EXPECT_EQ(unpacked(bomb, Compression::zstd).size(), zeros.size());
}

TEST(Compression, Bzip2IsRead) {
    EXPECT_EQ(sniff(std::as_bytes(std::span(bzip2_sample))), Compression::bzip2);
    EXPECT_EQ(unpacked(bzip2_sample + bzip2_sample, Compression::bzip2), "croft\ncroft\n");
    EXPECT_THAT(unpacked(bzip2_sample.substr(0, 30), Compression::bzip2), HasSubstr("cut off"));
    std::string out;
    EXPECT_FALSE(compress(write_text(out), Compression::bzip2));
}

TEST(Compression, Names) {
    for (Compression compression :
         {Compression::none, Compression::gzip, Compression::zstd, Compression::xz, Compression::bzip2})
        EXPECT_EQ(compression_of(name_of(compression)), compression);
    EXPECT_EQ(compression_of("gz"), Compression::gzip);
    EXPECT_FALSE(compression_of("lz4"));
    EXPECT_EQ(sniff({}), Compression::none);
}

TEST(Streams, PeekGivesItAllBack) {
    std::string first, copy;
    auto sink = write_text(copy);
    Hasher hasher;
    uint64_t seen = 0;
    auto source = watch(tee(read_text("abcdef"), sink.get(), &hasher), [&](uint64_t n) { seen += n; });
    auto again = peek(std::move(source), 4, first);
    ASSERT_TRUE(again);
    EXPECT_EQ(first, "abcd");
    EXPECT_EQ(read_all(**again, 10).value(), "abcdef");
    EXPECT_EQ(copy, "abcdef");
    EXPECT_EQ(seen, 6u);
    EXPECT_FALSE(read_all(*read_text("abcdef"), 5));
}

}  // namespace
}  // namespace croft::archive
