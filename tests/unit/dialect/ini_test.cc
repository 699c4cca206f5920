#include "dialect/ini.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace croft::dialect {
namespace {

std::string dump(std::string_view text) {
    IniFile file = parse_ini(text);
    std::string out;
    for (const IniEntry& e : file.entries)
        out += cat(e.line, ":", e.section, ".", e.key, "=<", e.value, "> ");
    for (const IniProblem& p : file.problems) out += cat(p.line, "!", p.text, " ");
    return out.empty() ? out : out.substr(0, out.size() - 1);
}

TEST(Ini, SectionsKeysAndComments) {
    EXPECT_EQ(dump("# c\n; c\n\n[A]\nk=v\n  k2 =  v 2  \n[B]\n#k=v\nk=\n"),
              "5:A.k=<v> 6:A.k2=<v 2> 9:B.k=<>");
}

TEST(Ini, LinesAreCounted) {
    EXPECT_EQ(dump("[A]\n\na=1\n# x\nb=2"), "3:A.a=<1> 5:A.b=<2>");
    EXPECT_EQ(dump("\xef\xbb\xbf[A]\r\na=1\r\n"), "2:A.a=<1>");
}

TEST(Ini, ContinuedLines) {
    EXPECT_EQ(dump("[A]\na=1 \\\n  2\\\n3\nb=4"), "2:A.a=<1  2 3> 5:A.b=<4>");
    EXPECT_EQ(dump("[A]\na=1\\\n# comment\n; another\n2\n"), "2:A.a=<1 2>");
    EXPECT_EQ(dump("[A]\na=1\\\n\nb=2\n"), "2:A.a=<1> 4:A.b=<2>");
    EXPECT_EQ(dump("[A]\na=1\\"), "2:A.a=<1>");
    EXPECT_EQ(dump("[A]\na=1\\\\\nb=2"), "2:A.a=<1\\\\> 3:A.b=<2>");
}

TEST(Ini, WhatIsNoAssignmentIsAProblem) {
    EXPECT_EQ(dump("k=v\n"), "1!'k' stands before the first [Section]");
    EXPECT_EQ(dump("[A]\nnonsense\n=v\n"), "2!'nonsense' is no KEY=VALUE 3!the key before '=' is missing");
    EXPECT_EQ(dump("[A\nk=v\n"), "1!'[A' is no [Section] 2!'k' stands before the first [Section]");
    EXPECT_EQ(dump("[]\n"), "1!'[]' is no [Section]");
    EXPECT_EQ(dump(std::string_view("[A]\nk=\0v\nl=w\n", 13)), "3:A.l=<w> 2!the line holds a zero byte");
}

TEST(Ini, EqualsSignsAndHashesInValues) {
    EXPECT_EQ(dump("[A]\nEnvironment=A=b # c\n"), "2:A.Environment=<A=b # c>");
}

std::string words(std::string_view text, Escapes escapes = Escapes::decode) {
    auto result = split_words(text, escapes);
    if (!result) return cat("error: ", result.error().text);
    std::string out;
    for (const std::string& word : *result) out += cat("<", word, ">");
    return out;
}

TEST(Words, QuotesHoldBlanks) {
    EXPECT_EQ(words("a  b\tc"), "<a><b><c>");
    EXPECT_EQ(words("  'a b' \"c d\" e'f 'g"), "<a b><c d><ef g>");
    EXPECT_EQ(words("'' \"\""), "<><>");
    EXPECT_EQ(words("\"it's\" 'say \"x\"'"), "<it's><say \"x\">");
    EXPECT_EQ(words(""), "");
    EXPECT_EQ(words("'a b"), "error: ''a b' has a quote that is not closed");
}

TEST(Words, EscapesAreReadOrKept) {
    EXPECT_EQ(words("a\\x41\\tb 'c\\\\d' e\\ f"),
              "error: '\\ ' is no escape (\\n, \\t, \\x41, \\101, \\\\, …)");
    EXPECT_EQ(words("a\\x41 'c\\\\d' \"\\\"\""), "<aA><c\\d><\">");
    EXPECT_EQ(words("a\\x41 'c\\\\d' \"\\\"\"", Escapes::keep), "<a\\x41><c\\\\d><\\\">");
}

TEST(Words, QuotingRoundTripsEveryByte) {
    std::string all;
    for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
    for (const std::string& word :
         {all, std::string(), std::string(" "), std::string("a b"), std::string("#x"), std::string("'\""),
          std::string("\\"), std::string("\0", 1), std::string("plain")}) {
        auto back = split_words(quote_word(word), Escapes::decode);
        ASSERT_TRUE(back) << croft::quoted(word) << " " << back.error().text;
        ASSERT_EQ(back->size(), 1u) << croft::quoted(word);
        EXPECT_EQ((*back)[0], word);
    }
    EXPECT_EQ(quote_word("plain=x"), "plain=x");
}

}  // namespace
}  // namespace croft::dialect
