#include "base/text.h"

#include <gtest/gtest.h>

namespace croft {
namespace {

TEST(Text, CatTakesTextCharactersAndWholeNumbers) {
    EXPECT_EQ(cat("pid ", 12, ' ', -3, ' ', uint64_t{18446744073709551615u}, std::string("!")),
              "pid 12 -3 18446744073709551615!");
    EXPECT_EQ(cat(), "");
}

TEST(Text, TrimSplitJoin) {
    EXPECT_EQ(trim(" \t a b \r\n"), "a b");
    EXPECT_EQ(trim(" \t"), "");
    EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
    EXPECT_EQ(split("", ','), std::vector<std::string>{""});
    EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
    EXPECT_EQ(join({}, ", "), "");
}

TEST(Text, QuotedShowsWhatCannotBeSeen) {
    EXPECT_EQ(quoted("a\nb\x1b"), "'a\\x0ab\\x1b'");
    EXPECT_EQ(quoted("ü"), "'ü'");
    EXPECT_EQ(quoted(std::string_view("\0", 1)), "'\\x00'");
}

TEST(Text, WholeNumbersAreWhole) {
    EXPECT_EQ(parse_int("-9223372036854775808"), INT64_MIN);
    EXPECT_EQ(parse_uint("18446744073709551615"), UINT64_MAX);
    EXPECT_EQ(parse_uint("ff", 16), 255u);
    for (const char* wrong : {"", " 1", "1 ", "+1", "0x1", "1.0", "18446744073709551616", "-1"})
        EXPECT_FALSE(parse_uint(wrong)) << wrong;
    for (const char* wrong : {"", "9223372036854775808", "--1", "1a"})
        EXPECT_FALSE(parse_int(wrong)) << wrong;
}

TEST(Text, TruthValues) {
    for (const char* yes : {"1", "yes", "Y", "TRUE", "t", "On"}) EXPECT_EQ(parse_bool(yes), true) << yes;
    for (const char* no : {"0", "no", "N", "False", "f", "off"}) EXPECT_EQ(parse_bool(no), false) << no;
    for (const char* wrong : {"", "2", "ja", "yes ", "01"}) EXPECT_FALSE(parse_bool(wrong)) << wrong;
}

TEST(Text, Sizes) {
    EXPECT_EQ(parse_size("0"), 0u);
    EXPECT_EQ(parse_size("512M"), 512u << 20);
    EXPECT_EQ(parse_size("1.5k"), 1536u);
    EXPECT_EQ(parse_size(" 2 G "), uint64_t{2} << 30);
    EXPECT_EQ(parse_size("15E"), uint64_t{15} << 60);
    EXPECT_EQ(parse_size("7B"), 7u);
    EXPECT_EQ(parse_size("infinity"), UINT64_MAX);
    for (const char* wrong : {"", "M", "1X", "-1", "16E", "1.2.3", "1.", ".5", "0x10", "1KB", "1 2"})
        EXPECT_FALSE(parse_size(wrong)) << wrong;
}

TEST(Text, Durations) {
    EXPECT_EQ(parse_duration("90"), 90'000'000u);
    EXPECT_EQ(parse_duration("1min 30s"), 90'000'000u);
    EXPECT_EQ(parse_duration("1min30s"), 90'000'000u);
    EXPECT_EQ(parse_duration("1.5s"), 1'500'000u);
    EXPECT_EQ(parse_duration("250ms"), 250'000u);
    EXPECT_EQ(parse_duration("2 weeks"), 1'209'600'000'000u);
    EXPECT_EQ(parse_duration("0"), 0u);
    EXPECT_EQ(parse_duration("infinity"), UINT64_MAX);
    for (const char* wrong :
         {"", "s", "1x", "1y 2", "-1", "1..2s", "99999999999999999999", "99999999999999999w", "1 s s"})
        EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(Text, ForPeople) {
    EXPECT_EQ(human_size(0), "0B");
    EXPECT_EQ(human_size(1023), "1023B");
    EXPECT_EQ(human_size(1536), "1.5K");
    EXPECT_EQ(human_size(UINT64_MAX), "infinity");
    EXPECT_EQ(human_duration(1500), "1ms");
    EXPECT_EQ(human_duration(59'999'999), "59s");
    EXPECT_EQ(human_duration(3'700'000'000), "1h 1min");
    EXPECT_EQ(human_duration(UINT64_MAX), "infinity");
}

TEST(Text, ClosestWord) {
    const std::vector<std::string> words = {"--memory", "--bind", "--bind-ro", "TRAP", "TERM", "no", "yes"};
    EXPECT_EQ(closest("--memroy", words), "--memory");
    EXPECT_EQ(closest("--bin", words), "--bind");
    EXPECT_EQ(closest("TREM", words), "TERM");  // letters that changed places are nearer than two wrong ones
    EXPECT_EQ(closest("ye", words), "yes");
    EXPECT_EQ(closest("xy", words), "");  // two edits make any short word of any other
    EXPECT_EQ(closest("--frobnicate", words), "");
    EXPECT_EQ(closest("", words), "");
    EXPECT_EQ(closest(std::string(1 << 20, 'a'), words), "");
}

TEST(Text, Hex) {
    EXPECT_EQ(hex(std::string_view("\x00\xff\x10", 3)), "00ff10");
}

}  // namespace
}  // namespace croft
