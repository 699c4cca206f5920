// Request texts: what spec/ writes, seccomp/ reads; nothing else is read.
#include "seccomp/request.h"

#include <gtest/gtest.h>
#include <linux/seccomp.h>

#include <cstring>

#include "launch/seccomp_file.h"
#include "seccomp/compile.h"
#include "seccomp/lists.h"
#include "spec/seccomp_request.h"

namespace croft::seccomp {
namespace {

std::string first_line = launch::seccomp_request_first_line;

TEST(DefaultRequestText, IsCanonical) {
    spec::Security security;
    security.syscalls_allow = {"mlock", "@pkey", "mlock"};
    security.syscalls_deny = {"umount2", "chroot"};
    security.address_families = {"AF_INET6", "AF_UNIX", "AF_LOCAL"};
    security.suppress_sync = true;
    auto text = spec::default_request(0xffff'ffff'ffff'ffff, security);
    ASSERT_TRUE(text);
    EXPECT_EQ(
        *text,
        first_line +
            "default\ncaps 84065b4000\n"
            "allow @pkey\nallow mlock\ndeny chroot\ndeny umount2\nfamilies allow 1 10\nsuppress-sync\n");
}

TEST(DefaultRequestText, LeavesOutCapabilitiesThatChangeNothing) {
    EXPECT_EQ(*spec::default_request(1 << 0 | 1 << 7, {}), *spec::default_request(0, {}));
    EXPECT_NE(*spec::default_request(1 << 19, {}), *spec::default_request(0, {}));
}

TEST(DefaultRequestText, RefusesNonsenseWithASentence) {
    auto refused = [](auto fill) {
        spec::Security security;
        fill(security);
        auto text = spec::default_request(0, security);
        return text ? "accepted: " + *text : text.error().text;
    };
    EXPECT_EQ(refused([](auto& s) { s.syscalls_allow = {"@mont"}; }),
              "'@mont' is no group of system calls; did you mean @mount?");
    EXPECT_EQ(refused([](auto& s) { s.syscalls_deny = {"a b"}; }), "'a b' is no name of a system call");
    EXPECT_EQ(refused([](auto& s) { s.syscalls_deny = {"x\nallow bpf"}; }),
              "'x\\x0aallow bpf' is no name of a system call");
    EXPECT_EQ(refused([](auto& s) { s.syscalls_deny = {""}; }), "'' is no name of a system call");
    EXPECT_EQ(refused([](auto& s) { s.address_families = {"AF_FOO"}; }),
              "'AF_FOO' is no address family (AF_UNIX, AF_INET, AF_INET6, …)");
}

// Every group that spec/ lets through is one that the compiler has, and the other way round.
TEST(DefaultRequestText, AcceptsExactlyTheGroupsThereAre) {
    for (std::string_view name : group_names()) {
        spec::Security security;
        security.syscalls_allow = {std::string(name)};
        EXPECT_TRUE(spec::default_request(0, security)) << name;
    }
    EXPECT_EQ(group_names().size(), 30u);  // as many as the list in spec/seccomp_request.cc
}

spec::SeccompProfile some_profile() {
    spec::SeccompProfile profile;
    profile.default_action = "SCMP_ACT_ERRNO";
    profile.default_errno = 38;
    profile.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_X86"};
    profile.flags = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"};
    profile.rules = {{{"read", "write"}, "SCMP_ACT_ALLOW", {}, {}},
                     {{"clone"},
                      "SCMP_ACT_TRACE",
                      7,
                      {{0, 0x7e020000, 0, "SCMP_CMP_MASKED_EQ"}, {1, 5, 9, "SCMP_CMP_GT"}}}};
    return profile;
}

TEST(ProfileRequestText, IsWrittenAndRead) {
    auto text = spec::profile_request(some_profile());
    ASSERT_TRUE(text) << text.error().text;
    EXPECT_EQ(
        *text,
        first_line +
            "profile\ndefault SCMP_ACT_ERRNO 38\narch SCMP_ARCH_X32\narch SCMP_ARCH_X86\n"
            "arch SCMP_ARCH_X86_64\nflag SECCOMP_FILTER_FLAG_LOG\nrule SCMP_ACT_ALLOW - read write\n"
            "rule SCMP_ACT_TRACE 7 clone\nif 0 SCMP_CMP_MASKED_EQ 2114060288 0\nif 1 SCMP_CMP_GT 5 0\n");
    auto request = parse_request(*text);
    ASSERT_TRUE(request) << request.error().text;
    ASSERT_TRUE(request->profile);
    EXPECT_EQ(request->profile->default_action, SECCOMP_RET_ERRNO | 38u);
    EXPECT_EQ(request->profile->filter_flags, uint32_t{SECCOMP_FILTER_FLAG_LOG});
    ASSERT_EQ(request->profile->rules.size(), 2u);
    EXPECT_EQ(request->profile->rules[0].names, (std::vector<std::string>{"read", "write"}));
    EXPECT_EQ(request->profile->rules[1].action, SECCOMP_RET_TRACE | 7u);
    Condition masked{.index = 0, .op = Op::masked_eq, .value = 0, .mask = 0x7e020000};
    Condition greater{.index = 1, .op = Op::gt, .value = 5};
    EXPECT_EQ(request->profile->rules[1].conditions, (std::vector<Condition>{masked, greater}));
}

TEST(ProfileRequestText, MakesAlternativesOfConditionsOnOneArgument) {
    spec::SeccompProfile profile;
    profile.default_action = "SCMP_ACT_KILL_PROCESS";
    profile.rules = {
        {{"personality"}, "SCMP_ACT_ALLOW", {}, {{0, 0, 0, "SCMP_CMP_EQ"}, {0, 8, 0, "SCMP_CMP_EQ"}}}};
    EXPECT_EQ(*spec::profile_request(profile),
              first_line +
                  "profile\ndefault SCMP_ACT_KILL_PROCESS -\nrule SCMP_ACT_ALLOW - personality\n"
                  "if 0 SCMP_CMP_EQ 0 0\nrule SCMP_ACT_ALLOW - personality\nif 0 SCMP_CMP_EQ 8 0\n");
}

TEST(ProfileRequestText, RefusesWhatRuntimesRefuse) {
    auto refused = [](auto change) {
        spec::SeccompProfile profile = some_profile();
        change(profile);
        auto text = spec::profile_request(profile);
        return text ? "accepted: " + *text : text.error().text;
    };
    EXPECT_EQ(refused([](auto& p) { p.default_action = "ALLOW"; }),
              "seccomp default action: 'ALLOW' is no seccomp action (SCMP_ACT_…)");
    EXPECT_EQ(refused([](auto& p) { p.rules[0].errno_ret = 3; }),
              "seccomp rule 1: SCMP_ACT_ALLOW takes no errno, but 3 was given");
    EXPECT_EQ(refused([](auto& p) { p.rules[1].errno_ret = 70000; }),
              "seccomp rule 2: errno 70000 is above 65535");
    EXPECT_EQ(refused([](auto& p) { p.rules[0].names.clear(); }), "seccomp rule 1: no system call is named");
    EXPECT_EQ(refused([](auto& p) { p.rules[1].args[0].index = 6; }),
              "seccomp rule 2: a system call has arguments 0 to 5, not 6");
    EXPECT_EQ(refused([](auto& p) { p.rules[1].args[0].op = "EQ"; }),
              "seccomp rule 2: 'EQ' is no comparison (SCMP_CMP_…)");
    EXPECT_EQ(refused([](auto& p) { p.architectures = {"amd64"}; }),
              "'amd64' is no architecture (SCMP_ARCH_X86_64, …)");
    EXPECT_EQ(refused([](auto& p) { p.flags = {"LOG"}; }),
              "'LOG' is no seccomp flag (SECCOMP_FILTER_FLAG_…)");
    EXPECT_EQ(refused([](auto& p) { p.rules[0].action = "SCMP_ACT_NOTIFY", p.rules[0].names = {"mkdir"}; }),
              "a seccomp profile with SCMP_ACT_NOTIFY needs a listenerPath");
    EXPECT_EQ(refused([](auto& p) { p.rules[0].action = "SCMP_ACT_NOTIFY", p.listener_path = "/l"; }),
              "SCMP_ACT_NOTIFY cannot be used for 'write'");
    EXPECT_EQ(refused([](auto& p) { p.default_action = "SCMP_ACT_NOTIFY", p.default_errno.reset(); }),
              "SCMP_ACT_NOTIFY cannot be the default action of a seccomp profile");
}

TEST(ProfileRequestText, AsksForAListenerWhenARuleNotifies) {
    spec::SeccompProfile profile = some_profile();
    profile.rules.push_back({{"mkdir"}, "SCMP_ACT_NOTIFY", {}, {}});
    profile.listener_path = "/run/listener";
    auto request = parse_request(*spec::profile_request(profile));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->profile->filter_flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

TEST(Request, ReadsNothingElse) {
    const char* bad[] = {
        "",
        "croft-seccomp 1",
        "croft-seccomp 2\ndefault\n",
        "croft-seccomp 1\nother\n",
        "croft-seccomp 1\ndefault\ncaps zz\n",
        "croft-seccomp 1\ndefault\ncaps 0",
        "croft-seccomp 1\ndefault\nfamilies allow\n",
        "croft-seccomp 1\ndefault\nfamilies allow x\n",
        "croft-seccomp 1\ndefault\nallow a b\n",
        "croft-seccomp 1\ndefault\n\n",
        "croft-seccomp 1\nprofile\n",
        "croft-seccomp 1\nprofile\ndefault SCMP_ACT_ERRNO -\n",
        "croft-seccomp 1\nprofile\ndefault SCMP_ACT_ALLOW -\nif 0 SCMP_CMP_EQ 1 0\n",
        "croft-seccomp 1\nprofile\ndefault SCMP_ACT_ALLOW -\nrule SCMP_ACT_ALLOW -\n",
        "croft-seccomp 1\nprofile\ndefault SCMP_ACT_ALLOW -\nflag SECCOMP_FILTER_FLAG_TSYNC\n"};
    for (const char* text : bad) EXPECT_FALSE(parse_request(text)) << text;
}

TEST(Compile, WritesTheKeptForm) {
    std::string request = *spec::default_request(0, {});
    auto file = compile(request);
    ASSERT_TRUE(file) << file.error().text;
    launch::SeccompFileHeader header;
    ASSERT_GT(file->size(), sizeof header);
    std::memcpy(&header, file->data(), sizeof header);
    EXPECT_EQ(std::memcmp(header.magic, launch::seccomp_file_magic, 8), 0);
    EXPECT_EQ(header.request_length, request.size());
    EXPECT_EQ(file->size(), launch::seccomp_file_size(header.request_length, header.instructions));
    EXPECT_EQ(file->substr(sizeof header, request.size()), request);
    EXPECT_EQ(*compile(request), *file);  // the same bytes every time
}

}  // namespace
}  // namespace croft::seccomp
