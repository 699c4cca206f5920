#include "images/template.h"

#include <gtest/gtest.h>

using namespace croft;

namespace {

std::string filled(const char* text) {
    auto document = format::JsonDocument::parse(R"({"Name":"x","List":["a","b"],"Map":{"k":"v"},"Size":5,"Empty":[]})");
    auto out = images::fill_template(text, document->root());
    return out ? *out : "error: " + out.error().text;
}

TEST(Template, NamesAreReplacedAsGoDoes) {
    EXPECT_EQ(filled("{{.Name}}"), "x\n");
    EXPECT_EQ(filled("{{ .Size }}/{{.List}}"), "5/[a b]\n");
    EXPECT_EQ(filled("{{.Map}} {{.Map.k}} {{.Empty}}"), "map[k:v] v []\n");
    EXPECT_EQ(filled("{{json .Map}}{{json .List}}{{json .Size}}"), "{\"k\":\"v\"}[\"a\",\"b\"]5\n");
    EXPECT_EQ(filled("a\\tb\\nc"), "a\tb\nc\n");
    EXPECT_EQ(filled("{ } {"), "{ } {\n");
    EXPECT_TRUE(filled("{{json .}}").starts_with("{\"Name\":\"x\""));
}

TEST(Template, WhatIsNotUnderstoodIsTold) {
    EXPECT_NE(filled("{{.Nmae}}").find(".Name, .List"), std::string::npos);
    EXPECT_NE(filled("{{range .List}}").find("is not understood"), std::string::npos);
    EXPECT_NE(filled("{{.Name").find("no end"), std::string::npos);
    EXPECT_NE(filled("{{.Name.x}}").find("there is no"), std::string::npos);
    EXPECT_NE(filled("{{}}").find("is not understood"), std::string::npos);
}

}  // namespace
