// The table as a whole: what help, manual and completion rely on.
#include "spec/fields.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/text.h"

namespace croft::spec {
namespace {

TEST(Fields, NamesOptionsAndKeysAreUnique) {
    std::set<std::string> names, options, keys;
    std::map<char, std::string> shorts;
    for (const Field& field : fields()) {
        EXPECT_TRUE(names.insert(field.name).second) << field.name;
        for (const std::string& option : split(cat(field.option, " ", field.aliases), ' ')) {
            if (option.empty()) continue;
            if (option.size() == 2)
                EXPECT_TRUE(shorts.emplace(option[1], field.name).second) << option;
            else
                EXPECT_TRUE(options.insert(option).second) << option;
        }
        if (field.short_option)
            EXPECT_TRUE(shorts.emplace(field.short_option, field.name).second) << field.name;
        if (*field.key) EXPECT_TRUE(keys.insert(cat(field.section, ".", field.key)).second) << field.key;
    }
}

TEST(Fields, EveryRowIsComplete) {
    for (const Field& field : fields()) {
        EXPECT_TRUE(field.set && field.get && field.reset) << field.name;
        EXPECT_TRUE(*field.option || *field.key) << field.name;
        EXPECT_EQ(*field.key != 0, *field.section != 0) << field.name;
        EXPECT_NE(*field.help, 0) << field.name;
        EXPECT_LE(std::string(field.help).size(), 70u) << field.name;
        EXPECT_FALSE(std::string(field.help).ends_with('.')) << field.name;
        EXPECT_TRUE(std::string(field.doc).ends_with('.')) << field.name;
        EXPECT_NE(*field.example, 0) << field.name;
        EXPECT_EQ(field.offered == Offered::file_only, *field.option == 0) << field.name;
        // A row of nspawn's has one of nspawn's sections.
        std::string section = field.section;
        if (field.key_of == KeyOf::nspawn)
            EXPECT_TRUE(section == "Exec" || section == "Files" || section == "Network") << field.name;
    }
}

// What a value may be and what happens without one is what people look up.
TEST(Fields, DocumentationTellsTheDefault) {
    for (const Field& field : fields()) {
        std::string doc = field.doc;
        bool refused = doc.find("efused") != doc.npos || doc.find("not available") != doc.npos ||
                       doc.find(" is ") != doc.npos;
        EXPECT_TRUE(doc.find("efault") != doc.npos || refused) << field.name;
    }
}

TEST(Fields, AreFoundByEverySpelling) {
    for (const Field& field : fields()) {
        EXPECT_STREQ(field_by_name(field.name)->name, field.name);
        if (*field.option) EXPECT_STREQ(field_by_option(field.option)->name, field.name);
        if (field.short_option) EXPECT_STREQ(field_by_short(field.short_option)->name, field.name);
        if (*field.key) EXPECT_STREQ(field_by_key(field.section, field.key)->name, field.name);
    }
    EXPECT_STREQ(field_by_option("--setenv")->name, "env");
    EXPECT_STREQ(field_by_option("--capability")->name, "cap-add");
    EXPECT_STREQ(field_by_short('E')->name, "env");
    EXPECT_STREQ(field_by_short('a')->name, "init");
}

TEST(Fields, UnknownOnesAreNot) {
    EXPECT_EQ(field_by_name("memroy"), nullptr);
    EXPECT_EQ(field_by_option("--memroy"), nullptr);
    EXPECT_EQ(field_by_option("-E"), nullptr);
    EXPECT_EQ(field_by_option("--"), nullptr);
    EXPECT_EQ(field_by_option(""), nullptr);
    EXPECT_EQ(field_by_short('-'), nullptr);
    EXPECT_EQ(field_by_short(0), nullptr);
    EXPECT_EQ(field_by_key("Exec", "boot"), nullptr);
    EXPECT_EQ(field_by_key("Files", "Boot"), nullptr);
    EXPECT_EQ(field_by_key("", ""), nullptr);
    EXPECT_FALSE(known_section("exec"));
    EXPECT_FALSE(known_section(""));
}

TEST(Fields, OpenSectionsTakeEveryKey) {
    EXPECT_STREQ(field_by_key("Resources", "MemoryMax")->name, "memory");
    EXPECT_STREQ(field_by_key("Resources", "IODeviceWeight")->name, "property");
    EXPECT_STREQ(field_by_key("Unit", "After")->name, "unit");
    EXPECT_STREQ(field_by_key("Service", "Restart")->name, "service");
}

TEST(Fields, SuggestionsAreClose) {
    EXPECT_EQ(closest_option("--memroy"), "--memory");
    EXPECT_EQ(closest_option("--bnid"), "--bind");
    EXPECT_EQ(closest_option("--xyzzy"), "");
    EXPECT_EQ(closest_key("Exec", "Hostnmae"), "Hostname");
    EXPECT_EQ(closest_key("Files", "Hostnmae"), "");
}

// systemd.nspawn(5) of 262, key by key: none may be missing.
TEST(Fields, KnowEveryKeyOfNspawn) {
    const std::pair<const char*, std::vector<const char*>> sections[] = {
        {"Exec",
         {"Boot",
          "ProcessTwo",
          "Parameters",
          "Ephemeral",
          "Environment",
          "User",
          "WorkingDirectory",
          "PivotRoot",
          "Capability",
          "AmbientCapability",
          "DropCapability",
          "NoNewPrivileges",
          "KillSignal",
          "Personality",
          "NotifyReady",
          "SuppressSync",
          "MachineID",
          "PrivateUsers",
          "PrivateUsersDelegate",
          "SystemCallFilter",
          "RestrictAddressFamilies",
          "LimitCPU",
          "LimitFSIZE",
          "LimitDATA",
          "LimitSTACK",
          "LimitCORE",
          "LimitRSS",
          "LimitNOFILE",
          "LimitAS",
          "LimitNPROC",
          "LimitMEMLOCK",
          "LimitLOCKS",
          "LimitSIGPENDING",
          "LimitMSGQUEUE",
          "LimitNICE",
          "LimitRTPRIO",
          "LimitRTTIME",
          "OOMScoreAdjust",
          "CPUAffinity",
          "Hostname",
          "ResolvConf",
          "Timezone",
          "LinkJournal"}},
        {"Files",
         {"ReadOnly", "Volatile", "Bind", "BindReadOnly", "TemporaryFileSystem", "Inaccessible", "Overlay",
          "OverlayReadOnly", "BindUser", "BindUserShell", "PrivateUsersOwnership", "PrivateUsersChown"}},
        {"Network",
         {"Private", "VirtualEthernet", "VirtualEthernetExtra", "Interface", "MACVLAN", "IPVLAN", "Bridge",
          "Zone", "NamespacePath", "Port"}}};
    size_t known = 0;
    for (const auto& [section, keys] : sections)
        for (const char* key : keys) {
            const Field* field = field_by_key(section, key);
            ASSERT_NE(field, nullptr) << key;
            EXPECT_EQ(field->key_of, KeyOf::nspawn) << key;
            ++known;
        }
    size_t marked = 0;
    for (const Field& field : fields()) marked += field.key_of == KeyOf::nspawn;
    EXPECT_EQ(marked, known);
}

}  // namespace
}  // namespace croft::spec
