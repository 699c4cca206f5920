// Settings of a unit file as the typed values of a StartTransientUnit() call, on a bus connection that goes nowhere.
#include "systemd/properties.h"

#include <gtest/gtest.h>

#include "dead_bus.h"

namespace croft::systemd {
namespace {

class Properties : public DeadBus {
  protected:
    // The array a(sv) of these settings, ready to be read.
    Result<> send(const Settings& settings) {
        begin();
        sd_bus_message* message = message_.get();
        EXPECT_GE(sd_bus_message_open_container(message, 'a', "(sv)"), 0);
        Result<> done = append_settings(message, settings);
        if (!done) return done;
        EXPECT_GE(sd_bus_message_close_container(message), 0);
        EXPECT_GE(sd_bus_message_enter_container(sealed(), 'a', "(sv)"), 0);
        return done;
    }
    template <class T>
    T number(const char* name, const char* type) {
        const char* read = nullptr;
        T value = 0;
        EXPECT_GT(sd_bus_message_read(message_.get(), "(sv)", &read, type, &value), 0) << name;
        EXPECT_STREQ(read, name);
        return value;
    }
    std::string text(const char* name) {
        const char *read = nullptr, *value = nullptr;
        EXPECT_GT(sd_bus_message_read(message_.get(), "(sv)", &read, "s", &value), 0) << name;
        EXPECT_STREQ(read, name);
        return value ? value : "";
    }
    // Enters the variant of the next property.
    void enter(const char* name, const char* type) {
        const char* read = nullptr;
        ASSERT_GT(sd_bus_message_enter_container(message_.get(), 'r', "sv"), 0);
        ASSERT_GT(sd_bus_message_read(message_.get(), "s", &read), 0);
        ASSERT_STREQ(read, name);
        ASSERT_GT(sd_bus_message_enter_container(message_.get(), 'v', type), 0);
    }
    void leave() {
        ASSERT_GE(sd_bus_message_exit_container(message_.get()), 0);
        ASSERT_GE(sd_bus_message_exit_container(message_.get()), 0);
    }
};

TEST_F(Properties, NumbersHaveSystemdsNamesAndUnits) {
    ASSERT_TRUE(send({{"MemoryMax", "512M"}, {"MemoryHigh", "infinity"}, {"MemoryMax", "50%"}, {"TasksMax", "99"},
                      {"CPUQuota", "150%"}, {"CPUQuota", "12.5%"}, {"RuntimeMaxSec", "2min"}, {"CPUWeight", "50"}}));
    EXPECT_EQ(number<uint64_t>("MemoryMax", "t"), 512u << 20);
    EXPECT_EQ(number<uint64_t>("MemoryHigh", "t"), UINT64_MAX);
    EXPECT_EQ(number<uint32_t>("MemoryMaxScale", "u"), 0x80000000u);
    EXPECT_EQ(number<uint64_t>("TasksMax", "t"), 99u);
    EXPECT_EQ(number<uint64_t>("CPUQuotaPerSecUSec", "t"), 1'500'000u);
    EXPECT_EQ(number<uint64_t>("CPUQuotaPerSecUSec", "t"), 125'000u);
    EXPECT_EQ(number<uint64_t>("RuntimeMaxUSec", "t"), 120'000'000u);
    EXPECT_EQ(number<uint64_t>("CPUWeight", "t"), 50u);
}

TEST_F(Properties, WordsSignalsAndFlags) {
    ASSERT_TRUE(send({{"Type", "notify"}, {"Delegate", "yes"}, {"KillSignal", "SIGRTMIN+3"}, {"OOMScoreAdjust", "-500"}}));
    EXPECT_EQ(text("Type"), "notify");
    EXPECT_EQ(number<int>("Delegate", "b"), 1);
    EXPECT_EQ(number<int32_t>("KillSignal", "i"), 37);
    EXPECT_EQ(number<int32_t>("OOMScoreAdjust", "i"), -500);
}

TEST_F(Properties, OccurrencesOfAListAreOneValue) {
    ASSERT_TRUE(send({{"After", "a.service b.service"}, {"Description", "x"}, {"After", "c.service"}}));
    enter("After", "as");
    ASSERT_GT(sd_bus_message_enter_container(message_.get(), 'a', "s"), 0);
    std::vector<std::string> words;
    const char* word = nullptr;
    while (sd_bus_message_read(message_.get(), "s", &word) > 0) words.emplace_back(word);
    EXPECT_EQ(words, (std::vector<std::string>{"a.service", "b.service", "c.service"}));
}

TEST_F(Properties, ACommandLineIsTakenApartAsSystemdDoes) {
    ASSERT_TRUE(send({{"ExecStopPost", R"(-/usr/lib exec/x "two words" a\\b $$HOME "")"}}));
    enter("ExecStopPost", "a(sasb)");
    ASSERT_GT(sd_bus_message_enter_container(message_.get(), 'a', "(sasb)"), 0);
    ASSERT_GT(sd_bus_message_enter_container(message_.get(), 'r', "sasb"), 0);
    const char* path = nullptr;
    ASSERT_GT(sd_bus_message_read(message_.get(), "s", &path), 0);
    EXPECT_STREQ(path, "/usr/lib");
    ASSERT_GT(sd_bus_message_enter_container(message_.get(), 'a', "s"), 0);
    std::vector<std::string> words;
    const char* word = nullptr;
    while (sd_bus_message_read(message_.get(), "s", &word) > 0) words.emplace_back(word);
    EXPECT_EQ(words, (std::vector<std::string>{"/usr/lib", "exec/x", "two words", "a\\b", "$HOME", ""}));
    ASSERT_GE(sd_bus_message_exit_container(message_.get()), 0);
    int ignore = 0;
    ASSERT_GT(sd_bus_message_read(message_.get(), "b", &ignore), 0);
    EXPECT_EQ(ignore, 1);
}

TEST_F(Properties, StatusesAndSignalsAreTold) {
    ASSERT_TRUE(send({{"SuccessExitStatus", "3 SIGINT 75"}}));
    enter("SuccessExitStatus", "(aiai)");
    ASSERT_GT(sd_bus_message_enter_container(message_.get(), 'r', "aiai"), 0);
    const void* data = nullptr;
    size_t size = 0;
    ASSERT_GT(sd_bus_message_read_array(message_.get(), 'i', &data, &size), 0);
    ASSERT_EQ(size, 2 * sizeof(int));
    EXPECT_EQ(static_cast<const int*>(data)[1], 75);
    ASSERT_GT(sd_bus_message_read_array(message_.get(), 'i', &data, &size), 0);
    ASSERT_EQ(size, sizeof(int));
    EXPECT_EQ(*static_cast<const int*>(data), 2);
}

TEST_F(Properties, WhatMakesNoSenseIsNamed) {
    for (auto [name, value] : {std::pair{"MemoryMax", "much"}, {"TasksMax", "-1"}, {"CPUQuota", "half"}, {"Delegate", "perhaps"},
                               {"KillSignal", "SIGNOTHING"}, {"RuntimeMaxSec", "soon"}, {"ExecStart", "-"}, {"SuccessExitStatus", "256"}}) {
        Result<> sent = send({{name, value}});
        ASSERT_FALSE(sent) << name;
        EXPECT_EQ(sent.error().code, Errc::invalid);
        EXPECT_TRUE(sent.error().text.find(name) != std::string::npos || std::string(name) == "ExecStart") << sent.error().text;
    }
}

// For those there is systemd-run.
TEST(KnownProperties, AreThoseThatAreTyped) {
    EXPECT_TRUE(all_known({{"MemoryMax", "1G"}, {"After", "x.service"}}));
    EXPECT_FALSE(all_known({{"MemoryMax", "1G"}, {"SocketBindDeny", "any"}}));
    EXPECT_FALSE(all_known({{"After", ""}})) << "an empty value resets a list";
}

}  // namespace
}  // namespace croft::systemd
