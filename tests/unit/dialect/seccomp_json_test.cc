// Seccomp profiles in the forms that people have.
#include "dialect/seccomp_json.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "spec/name_tables.h"

namespace croft::dialect {
namespace {

SeccompHost host(std::vector<const char*> capabilities = {}) {
    SeccompHost out;
    for (const char* name : capabilities)
        out.capabilities |= uint64_t{1} << spec::capability_number(name).value();
    return out;
}

std::string why_not(std::string_view text) {
    auto profile = parse_seccomp_json(text, host());
    if (profile) return "taken";
    EXPECT_EQ(profile.error().code, Errc::invalid);
    return profile.error().text;
}

// The names of the rules that apply.
std::string rules(std::string_view text, const SeccompHost& on) {
    auto profile = parse_seccomp_json(text, on);
    if (!profile) return cat("error: ", profile.error().text);
    std::string out;
    for (const spec::SeccompRule& rule : profile->rules)
        out += cat(out.empty() ? "" : " ", join(rule.names, "+"));
    return out;
}

TEST(SeccompJson, RuntimeSpec) {
    auto profile = parse_seccomp_json(R"({
      "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
      "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
      "flags": ["SECCOMP_FILTER_FLAG_LOG"],
      "listenerPath": "/run/x.sock", "listenerMetadata": "m",
      "syscalls": [
        {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1,
         "args": [{"index": 0, "value": 2114060288, "valueTwo": 18446744073709551615, "op": "SCMP_CMP_MASKED_EQ"}]}
      ]})",
                                      host());
    ASSERT_TRUE(profile) << profile.error().text;
    EXPECT_EQ(profile->default_action, "SCMP_ACT_ERRNO");
    EXPECT_EQ(profile->default_errno, 38u);
    EXPECT_EQ(profile->architectures.size(), 2u);
    EXPECT_EQ(profile->flags, std::vector<std::string>{"SECCOMP_FILTER_FLAG_LOG"});
    EXPECT_EQ(profile->listener_path, "/run/x.sock");
    ASSERT_EQ(profile->rules.size(), 2u);
    EXPECT_EQ(profile->rules[0].names, (std::vector<std::string>{"read", "write"}));
    ASSERT_EQ(profile->rules[1].args.size(), 1u);
    EXPECT_EQ(profile->rules[1].args[0].value, 2114060288u);
    EXPECT_EQ(profile->rules[1].args[0].value_two, UINT64_MAX);
    EXPECT_EQ(profile->rules[1].args[0].op, "SCMP_CMP_MASKED_EQ");
    EXPECT_EQ(profile->rules[1].errno_ret, 1u);
}

TEST(SeccompJson, DockersArchMapChoosesByThisMachine) {
    const char* text = R"({"defaultAction": "SCMP_ACT_ERRNO", "archMap": [
      {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
      {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}], "syscalls": null})";
    EXPECT_EQ(join(parse_seccomp_json(text, host())->architectures, " "),
              "SCMP_ARCH_X86_64 SCMP_ARCH_X86 SCMP_ARCH_X32");
    SeccompHost arm = host();
    arm.architecture = "aarch64";
    EXPECT_EQ(join(parse_seccomp_json(text, arm)->architectures, " "), "SCMP_ARCH_AARCH64 SCMP_ARCH_ARM");
    SeccompHost other = host();
    other.architecture = "riscv64";
    EXPECT_TRUE(parse_seccomp_json(text, other)->architectures.empty());
}

TEST(SeccompJson, ConditionsOfCapabilities) {
    const char* text = R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
      {"names": ["always"], "action": "SCMP_ACT_ALLOW", "args": null, "comment": "c", "includes": {}, "excludes": {}},
      {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
      {"names": ["both"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN", "CAP_BPF"]}},
      {"names": ["without"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN", "CAP_BPF"]}}]})";
    EXPECT_EQ(rules(text, host()), "always without");
    EXPECT_EQ(rules(text, host({"CAP_SYS_ADMIN"})), "always mount");
    EXPECT_EQ(rules(text, host({"CAP_SYS_ADMIN", "CAP_BPF"})), "always mount both");
}

TEST(SeccompJson, ConditionsOfArchitectureAndKernel) {
    const char* text = R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
      {"name": "amd", "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "x32"]}},
      {"name": "s390", "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["s390x"]}},
      {"name": "not-amd", "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["amd64"]}},
      {"name": "ptrace", "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
      {"name": "old", "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "4.8"}},
      {"name": "future", "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "6.2"}}]})";
    EXPECT_EQ(rules(text, host()), "amd ptrace");
    SeccompHost old = host();
    old.kernel_major = 4, old.kernel_minor = 7;
    EXPECT_EQ(rules(text, old), "amd old");
}

TEST(SeccompJson, PodmansErrnoNames) {
    auto profile = parse_seccomp_json(
        R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "defaultErrno": "ENOSYS",
      "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ERRNO", "errno": "EPERM"},
                   {"names": ["b"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22, "errno": "EINVAL"}]})",
        host());
    ASSERT_TRUE(profile) << profile.error().text;
    EXPECT_EQ(profile->default_errno, 38u);
    EXPECT_EQ(profile->rules[0].errno_ret, 1u);
    EXPECT_EQ(profile->rules[1].errno_ret, 22u);
}

TEST(SeccompJson, WrongOnesSayWhere) {
    const std::pair<const char*, const char*> table[] = {
        {"[]", "$: is array, not an object"},
        {"{}", "$: defaultAction is missing"},
        {R"({"defaultAction": "SCMP_ACT_ALOW"})",
         "$.defaultAction: 'SCMP_ACT_ALOW' is not known (did you mean 'SCMP_ACT_ALLOW'?)"},
        {R"({"defaultAction": 1})", "$.defaultAction: is number, not a string"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscals": []})",
         "$.syscals: is no key here (did you mean 'syscalls'?)"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": {}})", "$.syscalls: is object, not an array"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{}]})", "$.syscalls[0]: names no system call"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"]}]})",
         "$.syscalls[0]: action is missing"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a", 1], "action": "SCMP_ACT_LOG"}]})",
         "$.syscalls[0].names[1]: is number, not a string"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "a", "names": ["b"], "action": "SCMP_ACT_LOG"}]})",
         "$.syscalls[0]: name and names exclude each other"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "errnoRet": -1}]})",
         "$.syscalls[0].errnoRet: is no whole number from 0 to 4095"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "errno": "EPREM"}]})",
         "$.syscalls[0].errno: 'EPREM' is no name of an errno (EPERM, ENOSYS, …)"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]}]})",
         "$.syscalls[0].args[0].index: is no whole number from 0 to 5"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "args": [{"index": 0}]}]})",
         "$.syscalls[0].args[0]: op is missing"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "value": 1.5, "op": "SCMP_CMP_EQ"}]}]})",
         "$.syscalls[0].args[0].value: is no whole number from 0 to 18446744073709551615"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "includes": {"caps": ["CAP_X"]}}]})",
         "$.syscalls[0].includes.caps[0]: 'CAP_X' is no capability"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "excludes": {"minKernel": "new"}}]})",
         "$.syscalls[0].excludes.minKernel: 'new' is no kernel version (4.8)"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_46"]})",
         "$.architectures[0]: 'SCMP_ARCH_X86_46' is not known (did you mean 'SCMP_ARCH_X86_64'?)"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86"}]})",
         "$: architectures and archMap exclude each other"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "archMap": [{}]})", "$.archMap[0]: architecture is missing"},
        {R"({"defaultAction": "SCMP_ACT_ALLOW", "flags": "x"})", "$.flags: is string, not an array"},
    };
    for (const auto& [text, sentence] : table) EXPECT_EQ(why_not(text), sentence) << text;
    EXPECT_TRUE(why_not("{\"defaultAction\": ").starts_with("is no JSON: parse error at line 1, column 19:"));
    EXPECT_TRUE(why_not("").starts_with("is no JSON: parse error at line 1"));
    EXPECT_TRUE(why_not("\xff").starts_with("is no JSON: "));
}

TEST(SeccompJson, DeepNestingIsNoStackOverflow) {
    std::string deep(200000, '[');
    EXPECT_EQ(why_not(deep), "is no JSON: more than 128 objects and arrays inside each other");
    EXPECT_EQ(why_not(std::string(100, '[') + std::string(100, ']')), "$: is array, not an object");
}

}  // namespace
}  // namespace croft::dialect
