// Machine files, specifiers and printing.
#include "dialect/machine_file.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "dialect/print.h"
#include "spec/fields.h"

namespace croft::dialect {
namespace {

Specifiers specifiers() {
    Specifiers s;
    s.name = "web";
    s.host_name = "host.example.org";
    s.machine_id = "0123456789abcdef0123456789abcdef";
    s.boot_id = "fedcba9876543210fedcba9876543210";
    s.kernel = "6.1.0";
    s.architecture = "x86_64";
    s.os_id = "debian";
    s.os_version_id = "12";
    return s;
}

Result<spec::MachineSpec> read(std::string_view text) {
    spec::SpecPatch patch = TRY(parse_machine_file(text, "/etc/croft/machines/web.machine", specifiers()));
    spec::MachineSpec spec;
    std::vector<spec::Warning> warnings;
    TRY(spec::apply(patch, spec, warnings));
    EXPECT_TRUE(warnings.empty());
    return spec;
}

std::string why_not(std::string_view text) {
    auto spec = read(text);
    return spec ? "" : spec.error().text;
}

TEST(MachineFile, SentencesNameFileAndLine) {
    const std::pair<const char*, const char*> table[] = {
        {"[Exec]\nHostnmae=web\n",
         "/etc/croft/machines/web.machine:2: Hostnmae= is no key of [Exec] (did you mean Hostname=?)"},
        {"[Exce]\n",
         "/etc/croft/machines/web.machine:1: [Exce] is no section of a machine file (did you mean [Exec]?)"},
        {"[Something]\n", "/etc/croft/machines/web.machine:1: [Something] is no section of a machine file"},
        {"[Files]\nHostname=web\n", "/etc/croft/machines/web.machine:2: Hostname= is no key of [Files]"},
        {"\n\n[Resources]\nMemoryMax=12X\n",
         "/etc/croft/machines/web.machine:4: MemoryMax=: '12X' is no size (512M, 2G, infinity, …)"},
        {"[Resources]\nMemoryMx=1\n",
         "/etc/croft/machines/web.machine:2: MemoryMx=: 'MemoryMx' is no property of "
         "systemd.resource-control(5) (did you mean "
         "'MemoryMax'?)"},
        {"[Exec]\nEnvironment='A=b\n",
         "/etc/croft/machines/web.machine:2: Environment=: ''A=b' has a quote that is not closed"},
        {"[Exec]\nEnvironment=LANG\n",
         "/etc/croft/machines/web.machine:2: Environment=: 'LANG' is no NAME=VALUE"},
        {"[Exec]\nHostname=%q\n",
         "/etc/croft/machines/web.machine:2: Hostname=: '%q' is no specifier (a percent sign is written "
         "'%%')"},
        {"Boot=yes\n", "/etc/croft/machines/web.machine:1: 'Boot' stands before the first [Section]"},
        {"[Exec]\nBoot\n", "/etc/croft/machines/web.machine:2: 'Boot' is no KEY=VALUE"},
        {"[Service]\nExecStart=/bin/sh\n",
         "/etc/croft/machines/web.machine:2: ExecStart=: 'ExecStart' is croft's own setting of the unit and "
         "cannot be changed"},
    };
    for (const auto& [text, sentence] : table) EXPECT_EQ(why_not(text), sentence);
}

TEST(MachineFile, KeysForOthersAreSkipped) {
    EXPECT_EQ(why_not("[X-Other]\nAnything=x\n[Exec]\nX-Mine=y\n"), "");
}

TEST(MachineFile, SpecifiersAreExpandedInsideWords) {
    spec::MachineSpec spec = read(
                                 "[Exec]\nHostname=%i\nEnvironment=\"A=%n %H %l\" B=%m C=%b D=%v/%a/%o/%w\n"
                                 "[Files]\nBind=/srv/%N:/srv\nBindReadOnly=/a%%b\n"
                                 "[Resources]\nCPUQuota=50%\nMemoryMax=10% \n")
                                 .value();
    EXPECT_EQ(spec.integration.hostname, "web");
    using Pair = std::pair<std::string, std::string>;
    EXPECT_EQ(spec.process.environment.set, (std::vector<Pair>{{"A", "web host.example.org host"},
                                                               {"B", "0123456789abcdef0123456789abcdef"},
                                                               {"C", "fedcba9876543210fedcba9876543210"},
                                                               {"D", "6.1.0/x86_64/debian/12"}}));
    EXPECT_EQ(spec.resources.cpu_quota, 500000u);
    EXPECT_EQ(spec::value_text(*spec::field_by_name("memory"), spec), "10%");
    EXPECT_EQ(spec::value_text(*spec::field_by_name("bind"), spec), "/srv/web:/srv");
    EXPECT_EQ(spec::value_text(*spec::field_by_name("bind-ro"), spec), "/a%b");
}

TEST(MachineFile, AValueOfASpecifierIsNoSyntax) {
    Specifiers odd = specifiers();
    odd.host_name = "a b %i";
    auto patch = parse_machine_file("[Exec]\nParameters=%H x\n", "f", odd).value();
    ASSERT_EQ(patch.assignments.size(), 2u);
    EXPECT_EQ(patch.assignments[0].value, "a b %i");
}

TEST(MachineFile, EmptyAssignmentsReset) {
    spec::MachineSpec spec = read("[Files]\nBind=/a\nBind=\nBind=/b\n[Unit]\nAfter=a\nAfter=\n").value();
    ASSERT_EQ(spec.mounts.size(), 1u);
    EXPECT_EQ(spec.mounts[0].source, "/b");
    EXPECT_EQ(spec.unit_settings.size(), 2u);
}

TEST(MachineFile, SpecifiersEscape) {
    for (const char* text : {"50%", "%%", "a%ib", "%", "100%%", "% %i", "%-", "ü%ü"})
        EXPECT_EQ(expand_specifiers(escape_specifiers(text), specifiers()).value(), text) << text;
}

// Everything the table can say, through a file and back.
TEST(Print, RoundTrip) {
    const char* text =
        "[Machine]\nDirectory=/var/lib/machines/x\nAutostart=yes\nForceTree=yes\nStopTimeout=1min 30s\n"
        "Annotation=\"owner=alice smith\"\n"
        "[Exec]\nBoot=yes\nHostname=web\nMachineID=7f5a3f0c1b2d4e6f8091a2b3c4d5e6f7\nParameters=a 'b c' \"\" "
        "d\\x09e\n"
        "Environment=\"A=x y\" \"B=line\\nline\" C= \"D=\\\\ "
        "ends\\\\\"\nUser=www-data\nUMask=027\nCapability=NET_ADMIN SYS_TIME\n"
        "DropCapability=CHOWN\nSystemCallFilter=~bpf "
        "@clock\nSystemCallFilter=mount\nRestrictAddressFamilies=~AF_NETLINK\n"
        "LimitNOFILE=1024:infinity\nOOMScoreAdjust=-10\nCPUAffinity=0-3\nNice=5\nSetCredential=a:x\\n%%y\n"
        "LoadCredential=b:/etc/b\nPrivateUsers=1048576:65536\nSysctl=kernel.sem=1 2 3 4\nEphemeral=yes\n"
        "[Files]\nReadOnly=yes\nVolatile=state\nBind=/a\\:b:/c:norbind,idmap\nBindReadOnly=+/"
        "x\nTemporaryFileSystem=/t:size=1M\n"
        "Overlay=/l:/u:/o\nInaccessible=/boot\nDevice=/dev/fuse:rw\nMaskPath=none\n"
        "[Network]\nPrivate=no\n"
        "[Resources]\nMemoryMax=512M\nCPUQuota=150%\nTasksMax=10%\nIOReadBandwidthMax=/dev/sda "
        "1M\nSlice=web.slice\n"
        "[Unit]\nAfter=a.target\nAfter=\n[Service]\nRestart=on-failure\n[Install]\nWantedBy=machines."
        "target\n";
    spec::MachineSpec once = read(text).value();
    std::string printed = print_machine_file(once);
    auto twice = read(printed);
    ASSERT_TRUE(twice) << twice.error().text << "\n" << printed;
    EXPECT_EQ(print_machine_file(*twice), printed);
    for (const spec::Field& field : spec::fields())
        EXPECT_EQ(field.get(*twice), field.get(once)) << field.name << "\n" << printed;
}

TEST(Print, NothingForTheDefaults) {
    EXPECT_EQ(print_machine_file({}), "");
}

TEST(Print, WhatNoLineCanHoldIsSaid) {
    spec::MachineSpec spec;
    spec.root.directory = "/odd ";
    EXPECT_EQ(print_machine_file(spec),
              "[Machine]\n# Directory='/odd ': a file cannot hold a blank or '\\' at the end\n");
}

// Help shows examples of keys too.
TEST(MachineFile, EveryExampleIsTaken) {
    for (const spec::Field& field : spec::fields()) {
        if (field.example[0] == '-') continue;
        std::string section = std::string(field.name) == "image" ? "Machine" : field.section;
        EXPECT_EQ(why_not(cat("[", section, "]\n", field.example, "\n")), "") << field.example;
    }
}

TEST(MachineFile, EveryMistakeIsFoundInTheOrderOfLines) {
    std::vector<Mistake> mistakes;
    spec::SpecPatch patch = read_machine_file(
        "[Exec]\nHostnam=x\nHostname=good\n[Nothing]\nA=b\nnonsense\n[Files]\nBind=%j\n", "f", {}, mistakes);
    std::vector<unsigned> lines;
    for (const Mistake& mistake : mistakes) {
        lines.push_back(mistake.line);
        EXPECT_TRUE(mistake.error.text.starts_with(cat("f:", mistake.line, ": "))) << mistake.error.text;
    }
    EXPECT_EQ(lines, (std::vector<unsigned>{2, 4, 6, 8}));
    ASSERT_EQ(patch.assignments.size(), 1u);
    EXPECT_EQ(patch.assignments[0].value, "good");
}

}  // namespace
}  // namespace croft::dialect
