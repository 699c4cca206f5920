// What is read from a registry's headers, and what becomes of addresses.
#include "registry/registry_client.h"

#include <gtest/gtest.h>

#include <ctime>

#include "base/text.h"
#include "image/reference.h"
#include "registry/url.h"
#include "registry/web_file.h"

using namespace croft;
using namespace croft::registry;

namespace {

TEST(Challenges, AreReadHoweverTheyAreWritten) {
    auto one = parse_challenges(R"(Bearer realm="https://a/token?x=1,2",service="s \"q\"", scope="repository:a/b:pull,push")");
    ASSERT_EQ(one.size(), 1u);
    EXPECT_EQ(one[0].scheme, "bearer");
    EXPECT_EQ(one[0].parameters["realm"], "https://a/token?x=1,2");
    EXPECT_EQ(one[0].parameters["service"], "s \"q\"");
    EXPECT_EQ(one[0].parameters["scope"], "repository:a/b:pull,push");
    auto two = parse_challenges("Negotiate, BASIC Realm = x , Bearer realm=\"y\"");
    ASSERT_EQ(two.size(), 3u);
    EXPECT_EQ(two[1].scheme, "basic");
    EXPECT_EQ(two[1].parameters["realm"], "x");
    EXPECT_EQ(two[2].parameters["realm"], "y");
    for (const char* text : {"", ",,", "=", "\"", "Bearer realm=\"", "Bearer realm=\"\\", "\x01"}) parse_challenges(text);
}

TEST(RetryAfter, SecondsAndDates) {
    EXPECT_EQ(retry_after(""), std::nullopt);
    EXPECT_EQ(retry_after("5"), 5'000'000u);
    EXPECT_EQ(retry_after("99999999999"), 86400'000'000u);
    EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), 0u);
    time_t later = time(nullptr) + 1000;
    char text[64];
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&later));
    auto wait = retry_after(text);
    ASSERT_TRUE(wait);
    EXPECT_GT(*wait, 900'000'000u);
    EXPECT_LE(*wait, 1000'000'000u);
    for (const char* wrong : {"-1", "soon", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT"}) EXPECT_EQ(retry_after(wrong), std::nullopt) << wrong;
}

TEST(Urls, LocationsAreResolved) {
    EXPECT_EQ(resolved_url("http://h:1/v2/a/blobs/uploads/", "/v2/x?y=1"), "http://h:1/v2/x?y=1");
    EXPECT_EQ(resolved_url("http://h:1/v2/a", "https://other/z"), "https://other/z");
    EXPECT_EQ(resolved_url("https://h/v2/a?b=/c", "d"), "https://h/v2/d");
    EXPECT_EQ(resolved_url("https://h/v2/a", "//o/d"), "https://o/d");
    EXPECT_EQ(resolved_url("http://h", "/x"), "http://h/x");
    EXPECT_EQ(url_origin("https://H:443/v2/?a=b"), "https://h");
    EXPECT_EQ(url_origin("https://h:80"), "https://h:80");
    EXPECT_EQ(url_origin("http://h:80#x"), "http://h");
    EXPECT_NE(url_origin("https://h@other/"), url_origin("https://h/"));
    EXPECT_EQ(url_origin("file"), "");
    EXPECT_EQ(url_escaped("a b/ü~"), "a%20b%2F%C3%BC~");
}

TEST(Urls, FilesAndLogins) {
    EXPECT_EQ(url_file_name("https://h/a/b%20c.tar.xz?x=/y#z"), "b c.tar.xz");
    EXPECT_EQ(url_file_name("https://h/a%2"), "a%2");
    for (const char* none : {"https://h", "https://h/", "https://h/a/", "https://h?x=/y"}) EXPECT_EQ(url_file_name(none), "") << none;
    EXPECT_EQ(image::url_without_login("https://a:b@h:1/x@y?z=@"), "https://h:1/x@y?z=@");
    EXPECT_EQ(image::url_without_login("https://h/x@y"), "https://h/x@y");
    EXPECT_EQ(image::url_without_login("tar:http://a@b@h"), "tar:http://h");
    EXPECT_EQ(image::url_without_login("/a@b"), "/a@b");
    auto address = image::parse_reference("https://h/x.tar");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->transport, image::Transport::tar);
    EXPECT_EQ(image::parse_reference(address->text()), *address);
}

TEST(Answers, AreToldInTheRegistrysWords) {
    HttpAnswer answer{.status = 404, .headers = {}, .body = R"({"errors":[{"code":"NAME_UNKNOWN","message":"no such thing"},{"code":"X"}]})", .url = ""};
    Error told = answer_error(answer, "manifest x");
    EXPECT_EQ(told.code, Errc::not_found);
    EXPECT_NE(told.text.find("HTTP 404: no such thing; x"), std::string::npos) << told.text;
    answer.body = "{\"errors\":[{\"message\":\"a\\u001b[31m\"}]}";
    EXPECT_EQ(answer_error(answer, "x").text.find('\x1b'), std::string::npos);
    for (const char* body : {"", "<html>", "[]", "{\"errors\":5}", "{\"errors\":[5]}", "{\"errors\":[{\"message\":5}]}"}) {
        answer.body = body, answer.status = 418;
        EXPECT_NE(answer_error(answer, "x").text.find("HTTP 418"), std::string::npos);
    }
}

}  // namespace
