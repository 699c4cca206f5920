#include "cli/sanitize.h"

#include <gtest/gtest.h>

using croft::cli::Sanitizer;

namespace {

std::string clean(std::string_view bytes) {
    return Sanitizer().feed(bytes);
}

TEST(Sanitizer, KeepsText) {
    EXPECT_EQ(clean("plain\ttext\nsecond line\n"), "plain\ttext\nsecond line\n");
    EXPECT_EQ(clean("größer …\n"), "größer …\n");
}

TEST(Sanitizer, DropsControlCharacters) {
    EXPECT_EQ(clean("a\r\nb\x07\x08\x7f"
                    "c"),
              "a\nbc");
}

TEST(Sanitizer, DropsColoursAndCursorMovement) {
    EXPECT_EQ(clean("[\x1b[0;1;32m  OK  \x1b[0m] up\x1b[2J\x1b[1;1H\n"), "[  OK  ] up\n");
}

TEST(Sanitizer, DropsTitlesAndAnswerBacks) {
    EXPECT_EQ(clean("\x1b]0;evil title\x07text"), "text");
    EXPECT_EQ(clean("\x1b]0;evil title\x1b\\text"), "text");
    EXPECT_EQ(clean("\x1bP$q\"p\x1b\\text\x1b(Bmore"), "textmore");
}

TEST(Sanitizer, AStringThatNeverEndsEndsWithItsLine) {
    EXPECT_EQ(clean("\x1b]0;no end\nnext\n"), "\nnext\n");
}

// A sequence may be cut at any byte: the result must be the same as in one piece.
TEST(Sanitizer, CutsDoNotMatter) {
    std::string text = "a\x1b[31mb\x1b]0;t\x1b\\c\x1b(Bd\r\n";
    for (size_t cut = 0; cut <= text.size(); ++cut) {
        Sanitizer sanitizer;
        std::string out = sanitizer.feed(std::string_view(text).substr(0, cut));
        out += sanitizer.feed(std::string_view(text).substr(cut));
        EXPECT_EQ(out, "abcd\n") << "cut at " << cut;
    }
}

TEST(Sanitizer, NoByteThatATerminalObeysGetsThrough) {
    for (int first = 0; first < 256; ++first)
        for (int second = 0; second < 256; ++second) {
            const char bytes[] = {'\x1b', static_cast<char>(first), static_cast<char>(second), 'x', '\n'};
            for (char c : clean({bytes, sizeof bytes}))
                ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t')
                    << first << " " << second;
        }
}

}  // namespace
