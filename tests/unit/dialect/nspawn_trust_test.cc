// What a .nspawn file that came with a tree may set: systemd-nspawn 262's behaviour, key by key. A key in the
// left list is ignored with a warning when the file lies beside the tree, and honoured from
// /etc/systemd/nspawn; one in the right list is honoured from both.
#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "dialect/machine_file.h"
#include "spec/fields.h"

namespace croft::dialect {
namespace {

struct Line {
    const char *section, *text;
};
const Line refused[] = {
    {"Exec", "Ephemeral=yes"},
    {"Exec", "Capability=CAP_SYS_ADMIN"},
    {"Exec", "AmbientCapability=CAP_SYS_ADMIN"},
    {"Exec", "MachineID=7f5a3f0c1b2d4e6f8091a2b3c4d5e6f7"},
    {"Exec", "PrivateUsers=no"},
    {"Exec", "SystemCallFilter=bpf"},
    {"Exec", "LimitCPU=1"},
    {"Exec", "LimitFSIZE=1"},
    {"Exec", "LimitDATA=1"},
    {"Exec", "LimitSTACK=1"},
    {"Exec", "LimitCORE=1"},
    {"Exec", "LimitRSS=1"},
    {"Exec", "LimitNOFILE=1"},
    {"Exec", "LimitAS=1"},
    {"Exec", "LimitNPROC=1"},
    {"Exec", "LimitMEMLOCK=1"},
    {"Exec", "LimitLOCKS=1"},
    {"Exec", "LimitSIGPENDING=1"},
    {"Exec", "LimitMSGQUEUE=1"},
    {"Exec", "LimitNICE=1"},
    {"Exec", "LimitRTPRIO=1"},
    {"Exec", "LimitRTTIME=1"},
    {"Exec", "OOMScoreAdjust=-1000"},
    {"Exec", "CPUAffinity=0"},
    {"Exec", "LinkJournal=host"},
    {"Files", "Bind=/etc"},
    {"Files", "BindReadOnly=/etc"},
    {"Files", "TemporaryFileSystem=/x"},
    {"Files", "Inaccessible=/x"},
    {"Files", "Overlay=/a:/b"},
    {"Files", "OverlayReadOnly=/a:/b"},
    {"Files", "BindUser=alice"},
    {"Files", "BindUserShell=yes"},
    {"Files", "PrivateUsersOwnership=off"},
    {"Files", "PrivateUsersChown=yes"},
    {"Network", "Private=no"},
    {"Network", "VirtualEthernet=yes"},
    {"Network", "VirtualEthernetExtra=a"},
    {"Network", "Interface=eth0"},
    {"Network", "MACVLAN=eth0"},
    {"Network", "IPVLAN=eth0"},
    {"Network", "Bridge=br0"},
    {"Network", "Zone=z"},
    {"Network", "NamespacePath=/run/netns/x"},
    {"Network", "Port=80"},
};
const Line honoured[] = {
    {"Exec", "Boot=yes"},
    {"Exec", "ProcessTwo=yes"},
    {"Exec", "Parameters=/bin/true"},
    {"Exec", "Environment=A=b"},
    {"Exec", "User=www-data"},
    {"Exec", "WorkingDirectory=/srv"},
    {"Exec", "PivotRoot=/a"},
    {"Exec", "DropCapability=CAP_CHOWN"},
    {"Exec", "NoNewPrivileges=yes"},
    {"Exec", "KillSignal=SIGINT"},
    {"Exec", "Personality=x86"},
    {"Exec", "NotifyReady=yes"},
    {"Exec", "SuppressSync=yes"},
    {"Exec", "PrivateUsersDelegate=0"},
    {"Exec", "SystemCallFilter=~bpf"},
    {"Exec", "RestrictAddressFamilies=AF_UNIX"},
    {"Exec", "Hostname=web"},
    {"Exec", "ResolvConf=off"},
    {"Exec", "Timezone=off"},
    {"Files", "ReadOnly=yes"},
    {"Files", "Volatile=yes"},
};

struct Read {
    spec::MachineSpec spec;
    std::vector<spec::Warning> warnings;
};
Read read(const Line& line, FileTrust trust) {
    Read out;
    std::string text = cat("[", line.section, "]\n", line.text, "\n");
    auto patch = parse_nspawn_file(text, "/var/lib/machines/web.nspawn", trust, out.warnings);
    auto applied = spec::apply(patch, out.spec, out.warnings);
    EXPECT_TRUE(applied) << line.text << ": " << applied.error().text;
    return out;
}
std::string everything(const spec::MachineSpec& spec) {
    std::string out;
    for (const spec::Field& field : spec::fields())
        if (std::string text = spec::value_text(field, spec); !text.empty())
            out += cat(field.name, "=", text, "\n");
    return out;
}

TEST(NspawnTrust, RefusedKeysAreIgnoredWithAWarning) {
    for (const Line& line : refused) {
        Read untrusted = read(line, FileTrust::untrusted);
        EXPECT_EQ(everything(untrusted.spec), "") << line.text;
        ASSERT_EQ(untrusted.warnings.size(), 1u) << line.text;
        std::string key = std::string(line.text).substr(0, std::string(line.text).find('=') + 1);
        EXPECT_TRUE(
            untrusted.warnings[0].text.starts_with(cat("/var/lib/machines/web.nspawn:2: ", key, ": ignored")))
            << untrusted.warnings[0].text;
        Read trusted = read(line, FileTrust::trusted);
        EXPECT_TRUE(trusted.warnings.empty()) << line.text;
        EXPECT_NE(everything(trusted.spec), "") << line.text;
    }
}

TEST(NspawnTrust, HonouredKeysAreHonouredFromBoth) {
    for (const Line& line : honoured) {
        Read untrusted = read(line, FileTrust::untrusted), trusted = read(line, FileTrust::trusted);
        EXPECT_TRUE(untrusted.warnings.empty()) << line.text;
        EXPECT_EQ(everything(untrusted.spec), everything(trusted.spec)) << line.text;
        if (!std::string(line.text).starts_with("PrivateUsersDelegate"))
            EXPECT_NE(everything(trusted.spec), "") << line.text;
    }
}

TEST(NspawnTrust, TheListsHoldEveryKey) {
    std::set<std::string> keys;
    for (const Line& line : refused)
        keys.insert(std::string(line.text).substr(0, std::string(line.text).find('=')));
    for (const Line& line : honoured)
        keys.insert(std::string(line.text).substr(0, std::string(line.text).find('=')));
    for (const spec::Field& field : spec::fields())
        if (field.key_of == spec::KeyOf::nspawn) EXPECT_TRUE(keys.contains(field.key)) << field.key;
}

TEST(NspawnFile, UnknownThingsAreWarnings) {
    std::vector<spec::Warning> warnings;
    spec::SpecPatch patch = parse_nspawn_file(
        "stray=1\n[Exec]\nHostnmae=x\nSysctl=net.a=1\nHostname=web\nnonsense\nEnvironment='x\n[Resources]"
        "\nMemoryMax=1G\n"
        "[Machine]\nMode=boot\n[X-Mine]\na=b\n",
        "/etc/systemd/nspawn/web.nspawn", FileTrust::trusted, warnings);
    ASSERT_EQ(patch.assignments.size(), 1u);
    EXPECT_STREQ(patch.assignments[0].field->name, "hostname");
    std::vector<std::string> texts;
    for (const spec::Warning& warning : warnings) texts.push_back(warning.text);
    const std::string at = "/etc/systemd/nspawn/web.nspawn:";
    EXPECT_EQ(texts, (std::vector<std::string>{
                         at + "1: 'stray' stands before the first [Section]; ignored",
                         at + "3: Hostnmae= is no key of [Exec] in systemd.nspawn(5); ignored",
                         at + "4: Sysctl= is no key of [Exec] in systemd.nspawn(5); ignored",
                         at + "6: 'nonsense' is no KEY=VALUE; ignored",
                         at + "7: Environment=: ''x' has a quote that is not closed; ignored",
                         at + "8: [Resources] is no section of systemd.nspawn(5); ignored",
                         at + "10: [Machine] is no section of systemd.nspawn(5); ignored",
                     }));
}

TEST(NspawnFile, AWrongValueIsAnErrorWithItsLine) {
    std::vector<spec::Warning> warnings;
    spec::MachineSpec spec;
    auto patch = parse_nspawn_file("[Exec]\n\nKillSignal=SIGTREM\n", "/etc/systemd/nspawn/web.nspawn",
                                   FileTrust::trusted, warnings);
    EXPECT_EQ(
        spec::apply(patch, spec, warnings).error().text,
        "/etc/systemd/nspawn/web.nspawn:3: KillSignal=: 'SIGTREM' is no signal (did you mean 'SIGTERM'?)");
}

TEST(NspawnFile, HasNeitherSpecifiersNorEscapes) {
    std::vector<spec::Warning> warnings;
    spec::MachineSpec spec;
    auto patch = parse_nspawn_file("[Exec]\nEnvironment=\"A=%i\\n\"\nParameters=a\\x41\n", "f",
                                   FileTrust::trusted, warnings);
    ASSERT_TRUE(spec::apply(patch, spec, warnings));
    EXPECT_EQ(spec.process.environment.set[0].second, "%i\\n");
    EXPECT_EQ(spec.process.command[0], "a\\x41");
}

}  // namespace
}  // namespace croft::dialect
