#include "registry/auth_file.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "registry/base64.h"

using namespace croft;
using namespace croft::registry;

namespace {

TEST(Base64, BothWays) {
    for (std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) EXPECT_EQ(from_base64(to_base64(text)), text);
    EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
    EXPECT_EQ(from_base64("Zm9v\r\nYg =="), "foob");
    EXPECT_EQ(from_base64("Zm9*"), std::nullopt);
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
}

TEST(AuthFile, TheLongestNameThatFitsCounts) {
    auto file = parse_auth_file(cat(R"({"auths":{"host:5000":{"auth":")", to_base64("a:1"), R"("},"host:5000/team":{"auth":")", to_base64("b:2:3"),
                                    R"("},"https://other/v1/":{"username":"c","password":"4"},"empty":{}},"credHelpers":{"h":"x"},"credsStore":"y"})"),
                                "f");
    ASSERT_TRUE(file) << file.error().text;
    EXPECT_EQ(find_auth(*file, "host:5000/web")->credentials.user, "a");
    EXPECT_EQ(find_auth(*file, "host:5000/team/web")->credentials.password, "2:3");
    EXPECT_EQ(find_auth(*file, "host:5000/teammate/web")->credentials.user, "a");
    EXPECT_EQ(find_auth(*file, "other/web")->credentials.password, "4");
    EXPECT_EQ(find_auth(*file, "host:50001/web"), nullptr);
    EXPECT_EQ(find_auth(*file, "empty/web"), nullptr);
    EXPECT_EQ(file->helpers.front().second, "x");
    EXPECT_EQ(file->store, "y");
}

TEST(AuthFile, DamagedOnesAreErrorsAndSecretsAreNotTold) {
    for (const char* text : {"{", "[]", R"({"auths":[]})", R"({"auths":{"h":{"auth":"c2VjcmV0"}}})", R"({"auths":{"h":{"auth":5}}})", R"({"credsStore":{}})",
                             R"({"auths":{"h":{"auth":"%c2VjcmV0"}}})"}) {
        auto file = parse_auth_file(text, "/a/file");
        ASSERT_FALSE(file) << text;
        EXPECT_TRUE(file.error().text.starts_with("/a/file: ")) << file.error().text;
        EXPECT_EQ(file.error().text.find("secret"), std::string::npos);
        EXPECT_EQ(file.error().text.find("c2VjcmV0"), std::string::npos);
    }
    EXPECT_TRUE(parse_auth_file(" \n", "f")->auths.empty());
    EXPECT_EQ(parse_old_auth_file(R"({"host":{"username":"a","password":"b"}})", "f")->auths.size(), 1u);
}

}  // namespace
