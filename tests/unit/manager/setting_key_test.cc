#include "manager/setting_key.h"

#include <gtest/gtest.h>

namespace croft::manager {
namespace {

TEST(SettingKey, HasManyNamesForOneSetting) {
    for (const char* word : {"memory", "--memory", "--memory-max", "MemoryMax", "Resources.MemoryMax"}) {
        auto key = find_setting(word);
        ASSERT_TRUE(key) << word;
        EXPECT_STREQ(key->field->name, "memory") << word;
        EXPECT_EQ(key->shown(), "Resources.MemoryMax") << word;
    }
}

TEST(SettingKey, AKeyOfSystemdIsTakenWithItsSection) {
    auto key = find_setting("Unit.After");
    ASSERT_TRUE(key);
    EXPECT_TRUE(key->wildcard());
    EXPECT_EQ(key->shown(), "Unit.After");
    spec::MachineSpec spec;
    EXPECT_FALSE(key->is_set(spec));
    spec.unit_settings = {{"Unit.AfterAll", "x"}, {"Service.After", "x"}};
    EXPECT_FALSE(key->is_set(spec));
    spec.unit_settings.push_back({"Unit.After", "x"});
    EXPECT_TRUE(key->is_set(spec));
}

TEST(SettingKey, WhatIsNoneSaysWhatIsNear) {
    EXPECT_NE(find_setting("Exec.Hostnam").error().text.find("Exec.Hostname"), std::string::npos);
    EXPECT_NE(find_setting("memry").error().text.find("--memory"), std::string::npos);
    EXPECT_NE(find_setting("Nothing.A").error().text.find("[Nothing]"), std::string::npos);
    EXPECT_NE(find_setting("unit").error().text.find("Unit.KEY"), std::string::npos);
    for (const char* word : {"", ".", "Resources.", ".MemoryMax", "--", "*"})
        EXPECT_FALSE(find_setting(word)) << word;
}

}  // namespace
}  // namespace croft::manager
