// What is written to a message and read from one, on a bus connection that goes nowhere.
#include <gtest/gtest.h>
#include <unistd.h>

#include "bus/findings.h"
#include "bus/handles.h"
#include "bus/properties.h"
#include "bus/requests.h"
#include "dead_bus.h"

namespace croft::bus {
namespace {

class Messages : public systemd::DeadBus {};

TEST_F(Messages, OptionsBecomeWords) {
    sd_bus_message_append(message_.get(), "a{sv}", 5, "timeout", "s", "10s", "now", "b", 1, "lines", "u", 20u,
                          "env", "as", 2, "A=1", "B=2", "quiet", "b", 0);
    auto options = read_options(sealed());
    ASSERT_TRUE(options) << options.error().text;
    auto words = option_words(*options);
    ASSERT_TRUE(words);
    EXPECT_EQ(*words, (std::vector<std::string>{"--timeout=10s", "--now=yes", "--lines=20", "--env=A=1",
                                                "--env=B=2", "--quiet=no"}));
}

TEST_F(Messages, AnOptionOfAnotherTypeIsRefusedByName) {
    sd_bus_message_append(message_.get(), "a{sv}", 1, "timeout", "d", 1.5);
    auto options = read_options(sealed());
    ASSERT_FALSE(options);
    EXPECT_NE(options.error().text.find("'timeout'"), std::string::npos);
}

TEST(OptionWords, KeysAreNamesOnly) {
    for (const char* key : {"", "-x", "--all", "a=b", "A", "a b", "a\n"})
        EXPECT_FALSE(option_words({{key, "x"}})) << key;
    EXPECT_TRUE(option_words({{"memory-high", "1"}}));
}

TEST_F(Messages, ValuesOfEachKind) {
    for (const Value& value : std::vector<Value>{true, int32_t{-1}, uint32_t{1}, uint64_t{1} << 40,
                                                 std::string("text"), std::vector<std::string>{"a", "b"}})
        EXPECT_GE(append_value(message_.get(), value), 0) << signature_of(value);
    sd_bus_message* sent = sealed();
    EXPECT_STREQ(sd_bus_message_get_signature(sent, 1), "biutsas");
}

TEST_F(Messages, WhatIsNoUtf8IsStillSent) {
    EXPECT_GE(append_value(message_.get(), std::string("caf\xe9")), 0);
    const char* text = nullptr;
    ASSERT_GE(sd_bus_message_read(sealed(), "s", &text), 0);
    EXPECT_STREQ(text, "caf?");
}

TEST_F(Messages, FindingsOfVerify) {
    auto told = append_findings(message_.get(), R"([{"name": "web", "mistakes": ["x"], "findings": [
        {"file": "/etc/croft/machines/web.machine", "line": 3, "severity": "error", "sentence": "no size"},
        {"file": "", "line": 0, "severity": "warning", "sentence": "odd"}]}, {"name": "db", "findings": []}])");
    ASSERT_TRUE(told) << told.error().text;
    ASSERT_GE(sd_bus_message_enter_container(sealed(), 'a', "(ssuss)"), 0);
    const char *name, *file, *severity, *sentence;
    uint32_t line = 0;
    ASSERT_GT(sd_bus_message_read(message_.get(), "(ssuss)", &name, &file, &line, &severity, &sentence), 0);
    EXPECT_STREQ(file, "/etc/croft/machines/web.machine");
    EXPECT_EQ(line, 3u);
    EXPECT_STREQ(severity, "error");
    ASSERT_GT(sd_bus_message_read(message_.get(), "(ssuss)", &name, &file, &line, &severity, &sentence), 0);
    EXPECT_STREQ(name, "web");
    EXPECT_STREQ(sentence, "odd");
    EXPECT_EQ(sd_bus_message_read(message_.get(), "(ssuss)", &name, &file, &line, &severity, &sentence), 0);
}

TEST_F(Messages, FindingsThatAreNoneAreRefused) {
    for (const char* json : {"", "{", "{}", "[1]", "[{}]", R"([{"name": "a", "findings": 1}])", R"([{"name": "a", "findings": [{}]}])",
                             R"([{"name": "a", "findings": [{"file": 1, "severity": "", "sentence": ""}]}])"}) {
        begin();
        EXPECT_FALSE(append_findings(message_.get(), json)) << json;
    }
}

TEST(Paths, NamesComeBack) {
    for (const char* name : {"web", "db-1.example", "0"})
        EXPECT_EQ(name_in(machine_prefix, path_of(machine_prefix, name).c_str()), name);
    EXPECT_EQ(path_of(machine_prefix, "a-b"), "/org/croft/Croft1/machine/a_2db");
    EXPECT_EQ(name_in(machine_prefix, "/org/croft/Croft1/job/x"), "");
    EXPECT_EQ(name_in(machine_prefix, "/org/croft/Croft1/machine"), "");
}

TEST(Errors, NamesGoThereAndBack) {
    size_t count = 0;
    const ErrcRow* rows = errc_rows(count);
    for (size_t i = 0; i < count; ++i) {
        sd_bus_error why = SD_BUS_ERROR_MAKE_CONST(rows[i].dbus_name, "text");
        EXPECT_EQ(error_from(why, "").code, rows[i].code);
        EXPECT_EQ(error_from(why, "doing").text, "text");
    }
    sd_bus_error denied = SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_ACCESS_DENIED, "no");
    EXPECT_EQ(error_from(denied, "doing").code, Errc::denied);
}

TEST(Properties, ValuesHaveTheSignatureOfTheirRow) {
    manager::Machine machine;
    for (const auto& row : machine_properties())
        EXPECT_STREQ(signature_of(row.get(machine)), row.signature) << row.name;
    Job job;
    for (const auto& row : job_properties())
        EXPECT_STREQ(signature_of(row.get(job)), row.signature) << row.name;
}

TEST(Properties, DifferencesAreWhatChanged) {
    manager::Machine before, now;
    before.state = manager::State::running;
    now = before;
    EXPECT_TRUE(differences(machine_properties(), before, now).empty());
    now.state = manager::State::frozen;
    auto changed = differences(machine_properties(), before, now);
    ASSERT_EQ(changed.size(), 1u);
    EXPECT_STREQ(changed[0]->name, "State");
}

}  // namespace
}  // namespace croft::bus
