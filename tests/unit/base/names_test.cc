#include "base/names.h"

#include <gtest/gtest.h>

#include <set>

namespace croft {
namespace {

TEST(Names, WhatAMachineMayBeCalled) {
    for (const char* good : {"a", "web", "web-1", "a.b.c", "A9", "1"})
        EXPECT_TRUE(check_machine_name(good)) << good;
    EXPECT_TRUE(check_machine_name(std::string(64, 'a')));
    for (const char* wrong :
         {"", "-a", "a-", "a..b", ".a", "a.", "a_b", "a/b", "a b", "ä", ".", "..", "a.-b", "a\n"})
        EXPECT_FALSE(check_machine_name(wrong)) << wrong;
    EXPECT_FALSE(check_machine_name(std::string(65, 'a')));
}

TEST(Names, SentencesSayWhy) {
    EXPECT_EQ(
        check_machine_name("a_b").error().text,
        "'a_b' is no machine name: '_' is not allowed (letters, digits, '-' and '.', at most 64 characters)");
    EXPECT_EQ(check_machine_name("").error().code, Errc::invalid);
}

TEST(Names, EveryPathGivesAValidName) {
    EXPECT_EQ(machine_name_from_path("/var/lib/machines/debian_12.raw"), "debian-12");
    EXPECT_EQ(machine_name_from_path("/srv/Web Server/"), "Web-Server");
    EXPECT_EQ(machine_name_from_path("/"), "machine");
    for (const char* path : {"", "/", "...", "__", "/a/-b-", "/x/..", "/srv/äöü", "/a/b.c.-.d", "/a/\n"})
        EXPECT_TRUE(check_machine_name(machine_name_from_path(path)))
            << path << " " << machine_name_from_path(path);
    EXPECT_TRUE(check_machine_name(machine_name_from_path(std::string(300, 'x'))));
    EXPECT_TRUE(check_machine_name(machine_name_from_path(std::string(63, 'x') + "-y")));
}

TEST(Names, RandomNamesDifferAndAreValid) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        std::string name = random_machine_name(std::string(80, 'a'));
        EXPECT_TRUE(check_machine_name(name)) << name;
        seen.insert(name);
    }
    EXPECT_GT(seen.size(), 95u);
}

}  // namespace
}  // namespace croft
