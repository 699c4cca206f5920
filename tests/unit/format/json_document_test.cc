// JSON as others write it, right and wrong.
#include "format/json_document.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace croft::format {
namespace {

std::string why_not(std::string_view text) {
    auto document = JsonDocument::parse(text);
    return document ? "taken" : document.error().text;
}

// The document again, one line, strings by their meaning.
std::string show(JsonValue value) {
    bool object = value.kind() == JsonKind::object;
    if (!object && value.kind() != JsonKind::array)
        return cat(value.kind_name().substr(0, 1), "(", value.text(), ")");
    std::string out;
    for (JsonValue inner : value)
        out += cat(out.empty() ? "" : ",", object ? cat(inner.key(), ":") : "", show(inner));
    return object ? cat("{", out, "}") : cat("[", out, "]");
}
std::string shown(std::string_view text) {
    auto document = JsonDocument::parse(text);
    return document ? show(document->root()) : document.error().text;
}

TEST(JsonDocument, Values) {
    EXPECT_EQ(shown(" null "), "n(null)");
    EXPECT_EQ(shown("true"), "b(true)");
    EXPECT_EQ(shown("\xef\xbb\xbf[]"), "[]");
    EXPECT_EQ(shown("\t[ 1 , -2.50e+3,\r\n0, \"x\" ]"), "[n(1),n(-2.50e+3),n(0),s(x)]");
    EXPECT_EQ(shown(R"({"a":{"b":[[],{}]},"c":false})"), "{a:{b:[[],{}]},c:b(false)}");
    EXPECT_EQ(shown("[[[1],2],3]"), "[[[n(1)],n(2)],n(3)]");
}

TEST(JsonDocument, Strings) {
    EXPECT_EQ(shown(R"("\"\\\/\b\f\n\r\t")"), "s(\"\\/\b\f\n\r\t)");
    EXPECT_EQ(shown(R"(["a\u0041\u00e4\u20ac\ud83d\ude00z", "\u0000"])"),
              cat("[s(aAä€😀z),s(", std::string_view("\0", 1), ")]"));
    EXPECT_EQ(shown("\"ä€😀\""), "s(ä€😀)");
    EXPECT_EQ(shown(R"({"\u0061b":"\t","ab":"plain","é\n":1})"), "{ab:s(\t),ab:s(plain),é\n:n(1)}");
    std::string many = "[";
    for (int i = 0; i < 1000; ++i) many += cat(i ? "," : "", "\"\\n", i, "\"");
    auto document = JsonDocument::parse(many += "]");
    ASSERT_TRUE(document);
    JsonDocument moved = std::move(*document);
    size_t i = 0;
    for (JsonValue value : moved.root()) EXPECT_EQ(value.text(), cat("\n", i++));
    EXPECT_EQ(i, 1000u);
}

// Which sentence it is, the library decides.
TEST(JsonDocument, WrongOnesSayWhere) {
    const std::string_view table[] = {"",
                                      "{\n \"a\": ",
                                      "{\n \"a\" 1}",
                                      "{a:1}",
                                      "{\"a\":1,}",
                                      "{\"a\":1 \"b\":2}",
                                      "[1 2]",
                                      "[1,]",
                                      "[1",
                                      "[}",
                                      "{]",
                                      "1 2",
                                      "[] // why",
                                      "nul",
                                      "NaN",
                                      "+1",
                                      "-",
                                      "01",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "\"abc",
                                      "\"a\\",
                                      "\"\\x41\"",
                                      "\"\\u12g4\"",
                                      "\"\\u12",
                                      "\"\\ud800\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\udc00\"",
                                      "\"a\nb\"",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xf4\x90\x80\x80\"",
                                      "\"\\n\xe2\x82\""};
    for (std::string_view text : table)
        EXPECT_TRUE(why_not(text).starts_with("parse error at line ")) << text << "\n" << why_not(text);
    EXPECT_TRUE(why_not("{\n \"a\" 1}").starts_with("parse error at line 2, column 6: "));
}

TEST(JsonDocument, DepthHasAnEnd) {
    size_t deepest = JsonDocument::deepest;
    EXPECT_EQ(why_not(std::string(deepest, '[') + std::string(deepest, ']')), "taken");
    EXPECT_EQ(why_not(std::string(deepest + 1, '[')), "more than 128 objects and arrays inside each other");
    EXPECT_EQ(why_not(std::string(1 << 20, '[')), "more than 128 objects and arrays inside each other");
}

TEST(JsonDocument, ValuesKnowTheirPlace) {
    auto document = JsonDocument::parse(R"({"a": [0, {"b": [[], 5]}], "x.y": {"": {"\n": 1}}, "a": 2})");
    ASSERT_TRUE(document);
    JsonValue root = document->root();
    EXPECT_EQ(root.path(), "$");
    std::vector<std::string> paths;
    auto walk = [&](auto& self, JsonValue value) -> void {
        for (JsonValue inner : value) paths.push_back(inner.path()), self(self, inner);
    };
    walk(walk, root);
    EXPECT_EQ(
        join(paths, " "),
        R"($.a $.a[0] $.a[1] $.a[1].b $.a[1].b[0] $.a[1].b[1] $["x.y"] $["x.y"][""] $["x.y"][""]["\n"] $.a)");
    EXPECT_EQ(root.member("a")->text(), "2");
    EXPECT_FALSE(root.member("b"));
    EXPECT_FALSE(root.member("a")->member("a"));
    EXPECT_TRUE(root.member("x.y")->member("")->member("\n"));
    EXPECT_EQ(root.most(), 10u);
    EXPECT_FALSE(root.empty());
}

}  // namespace
}  // namespace croft::format
