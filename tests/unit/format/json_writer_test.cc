#include "format/json_writer.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace croft::format {
namespace {

TEST(JsonWriter, WritesNestedValuesCompact) {
    JsonWriter json(JsonStyle::compact);
    json.begin_object().member("name", "web").member("pid", 12).member("up", true).key("none").null();
    json.key("list").begin_array().value(1).value("two").begin_array().end_array().end_array();
    json.key("empty").begin_object().end_object().end_object();
    EXPECT_EQ(json.text(), R"({"name":"web","pid":12,"up":true,"none":null,"list":[1,"two",[]],"empty":{}})");
}

TEST(JsonWriter, WritesPrettyWithIndentAndFinalNewline) {
    JsonWriter json;
    json.begin_array()
        .begin_object()
        .member("a", 1)
        .member("b", false)
        .end_object()
        .begin_array()
        .end_array();
    json.end_array();
    EXPECT_EQ(json.text(), "[\n  {\n    \"a\": 1,\n    \"b\": false\n  },\n  []\n]\n");
}

TEST(JsonWriter, WritesOnOneLineForPeople) {
    JsonWriter json(JsonStyle::line);
    json.begin_object().member("a", 1).key("b").begin_array().value(1).value(2).end_array().end_object();
    EXPECT_EQ(json.text(), R"({"a": 1, "b": [1, 2]})");
}

TEST(JsonWriter, WritesExtremeNumbers) {
    JsonWriter json(JsonStyle::compact);
    json.begin_array().value(INT64_MIN).value(UINT64_MAX).value(int8_t{-1}).value(uint8_t{200}).end_array();
    EXPECT_EQ(json.text(), "[-9223372036854775808,18446744073709551615,-1,200]");
}

TEST(JsonWriter, PutsJsonInAsItIs) {
    JsonWriter json(JsonStyle::compact);
    json.begin_object().key("a").raw("[1]").member("b", 2).end_object();
    EXPECT_EQ(json.take(), R"({"a":[1],"b":2})");
}

TEST(JsonQuoted, EscapesWhatMustBe) {
    EXPECT_EQ(json_quoted("a\"b\\c\n\r\t\b\f"), R"("a\"b\\c\n\r\t\b\f")");
    EXPECT_EQ(json_quoted(std::string_view("\0\x1f\x7f", 3)), R"("\u0000\u001f\u007f")");
    EXPECT_EQ(json_quoted("/"), R"("/")");
}

TEST(JsonQuoted, KeepsValidUtf8) {
    for (const char* text : {"ä", "€", "𝄞", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80"})
        EXPECT_EQ(json_quoted(text), std::string("\"") + text + "\"");
}

TEST(JsonQuoted, ReplacesEachWrongByte) {
    EXPECT_EQ(json_quoted("a\xff"), R"("a\ufffd")");
    EXPECT_EQ(json_quoted("\xc3"), R"("\ufffd")");                      // cut off
    EXPECT_EQ(json_quoted("\xc3("), R"("\ufffd(")");                    // the byte behind it survives
    EXPECT_EQ(json_quoted("\xc0\xaf"), R"("\ufffd\ufffd")");            // overlong '/'
    EXPECT_EQ(json_quoted("\xe0\x80\xaf"), R"("\ufffd\ufffd\ufffd")");  // overlong
    EXPECT_EQ(json_quoted("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");  // surrogate
    EXPECT_EQ(json_quoted("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");  // above U+10FFFF
    EXPECT_EQ(json_quoted("\x80"), R"("\ufffd")");
}

TEST(JsonQuoted, NeverLetsARawControlByteThrough) {
    for (int c = 0; c < 256; ++c) {
        std::string quoted = json_quoted(std::string(1, static_cast<char>(c)));
        for (unsigned char byte : quoted) EXPECT_TRUE(byte >= 0x20 && byte < 0x7f) << c;
    }
}

}  // namespace
}  // namespace croft::format
