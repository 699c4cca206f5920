// The default list against the decisions of systemd-nspawn, observed call by call on x86-64 (numbers 0 to
// 471), and against systemd's own description of its groups where it is installed.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <sstream>

#include "machine.h"
#include "seccomp/arch.h"
#include "seccomp/codegen.h"
#include "seccomp/lists.h"
#include "seccomp/resolve.h"
#include "spec/seccomp_request.h"

namespace croft::seccomp {
namespace {

constexpr uint32_t eperm = SECCOMP_RET_ERRNO | EPERM, enosys = SECCOMP_RET_ERRNO | ENOSYS;
constexpr uint32_t unsupported = SECCOMP_RET_ERRNO | EAFNOSUPPORT;
constexpr uint32_t allow = SECCOMP_RET_ALLOW;
constexpr uint64_t nspawn_capabilities = 0xfdecafff;

Policy policy_of(uint64_t capabilities, const spec::Security& security = {}) {
    auto text = spec::default_request(capabilities, security);
    EXPECT_TRUE(text) << text.error().text;
    auto request = parse_request(*text);
    EXPECT_TRUE(request) << request.error().text;
    auto policy = resolve(*request->defaults);
    EXPECT_TRUE(policy) << policy.error().text;
    return *policy;
}

uint32_t verdict(const Policy& policy, std::string_view name, const uint64_t (&args)[6] = {},
                 uint32_t token = native_token()) {
    CallNumbers call = Arch(token).find(name);
    EXPECT_TRUE(call.direct) << name;
    return evaluate(policy, audit_arch(token), call.number, args);
}

Names words(const char* text) {
    std::istringstream in(text);
    return {std::istream_iterator<std::string>(in), {}};
}

#if defined(__x86_64__)

// x86-64's numbers that answered EPERM under nspawn's default capabilities.
const char* const refused_by_nspawn =
    "syslog uselib ustat sysfs mlock mlock2 munlock mlockall munlockall modify_ldt _sysctl adjtimex "
    "clock_settime "
    "clock_adjtime settimeofday acct swapon swapoff iopl ioperm create_module init_module finit_module "
    "delete_module "
    "get_kernel_syms query_module quotactl quotactl_fd getpmsg putpmsg afs_syscall tuxcall security vserver "
    "lookup_dcookie kexec_load kexec_file_load perf_event_open fanotify_init fanotify_mark open_by_handle_at "
    "bpf "
    "pkey_mprotect pkey_alloc pkey_free uprobe pidfd_getfd memfd_secret process_mrelease map_shadow_stack "
    "futex_wake "
    "futex_wait futex_requeue lsm_set_self_attr listns rseq_slice_yield";

std::map<uint32_t, int> count_verdicts(const Policy& policy) {
    std::map<uint32_t, int> out;
    for (uint32_t number = 0; number <= 471; ++number) ++out[evaluate(policy, AUDIT_ARCH_X86_64, number, {})];
    return out;
}

TEST(DefaultList, DecidesAsNspawnOnX86_64) {
    Policy policy = policy_of(nspawn_capabilities);
    for (const std::string& name : words(refused_by_nspawn)) EXPECT_EQ(verdict(policy, name), eperm) << name;
    auto counts = count_verdicts(policy);
    EXPECT_EQ(counts[allow], 328);
    EXPECT_EQ(counts[eperm], 56);
    EXPECT_EQ(counts[enosys], 472 - 328 - 56);
    EXPECT_EQ(evaluate(policy, AUDIT_ARCH_X86_64, 180 /* nfsservctl */, {}), enosys);
    EXPECT_EQ(evaluate(policy, AUDIT_ARCH_X86_64, 400 /* never assigned */, {}), enosys);
    EXPECT_EQ(evaluate(policy, AUDIT_ARCH_X86_64, 472, {}), enosys);
}

TEST(DefaultList, OpensWithCapabilitiesAsNspawn) {
    EXPECT_EQ(count_verdicts(policy_of(~uint64_t{0}))[allow], 345);
    Policy none = policy_of(0);
    for (const char* name : {"ptrace", "reboot", "vhangup", "syslog", "bpf", "acct", "mlock", "iopl"})
        EXPECT_EQ(verdict(none, name), eperm) << name;
    EXPECT_EQ(verdict(none, "process_vm_readv"), allow);
}

TEST(DefaultList, CoversTheCompatibilityArchitectures) {
    Policy policy = policy_of(nspawn_capabilities);
    EXPECT_EQ(verdict(policy, "fstat64", {}, AUDIT_ARCH_I386), allow);
    EXPECT_EQ(verdict(policy, "socketcall", {}, AUDIT_ARCH_I386), allow);
    EXPECT_EQ(verdict(policy, "clone3", {}, AUDIT_ARCH_I386), allow);
    EXPECT_EQ(verdict(policy, "vm86", {}, AUDIT_ARCH_I386), eperm);
    EXPECT_EQ(verdict(policy, "kexec_load", {}, AUDIT_ARCH_I386), eperm);
    EXPECT_EQ(verdict(policy, "clock_settime64", {}, AUDIT_ARCH_I386), eperm);
    EXPECT_EQ(evaluate(policy, AUDIT_ARCH_X86_64, x32_bit + 0, {}), allow);    // read
    EXPECT_EQ(evaluate(policy, AUDIT_ARCH_X86_64, x32_bit + 528, {}), eperm);  // kexec_load
    EXPECT_EQ(evaluate(policy, AUDIT_ARCH_X86_64, x32_bit + 471, {}), eperm);  // rseq_slice_yield
    EXPECT_EQ(evaluate(policy, AUDIT_ARCH_X86_64, x32_bit + 700, {}), enosys);
    EXPECT_EQ(evaluate(policy, AUDIT_ARCH_AARCH64, 0, {}), SECCOMP_RET_KILL_PROCESS);
    uint64_t audit[6] = {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT};
    EXPECT_EQ(evaluate(policy, AUDIT_ARCH_X86_64, x32_bit + 41, audit), unsupported);
    EXPECT_EQ(evaluate(policy, AUDIT_ARCH_I386, 359, audit), unsupported);
}

#endif

TEST(DefaultList, TellsAuditSocketsAway) {
    Policy policy = policy_of(nspawn_capabilities);
    uint64_t audit[6] = {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT};
    EXPECT_EQ(verdict(policy, "socket", audit), unsupported);
    // The kernel reads an int: what stands in the high half must not help.
    uint64_t dodging[6] = {0x100000000 | AF_NETLINK, SOCK_RAW, 0xffffffff00000000 | NETLINK_AUDIT};
    EXPECT_EQ(verdict(policy, "socket", dodging), unsupported);
    uint64_t route[6] = {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE};
    EXPECT_EQ(verdict(policy, "socket", route), allow);
    uint64_t other[6] = {AF_INET, SOCK_RAW, NETLINK_AUDIT};
    EXPECT_EQ(verdict(policy, "socket", other), allow);
}

TEST(DefaultList, TakesAdditionsAndDenials) {
    spec::Security security;
    security.syscalls_allow = {"@pkey", "bpf", "ptrace"};
    security.syscalls_deny = {"@mount", "ptrace", "chmod", "socket"};
    Policy policy = policy_of(0, security);
    EXPECT_EQ(verdict(policy, "pkey_alloc"), allow);
    EXPECT_EQ(verdict(policy, "bpf"), allow);
    EXPECT_EQ(verdict(policy, "ptrace"), eperm);  // deny wins
    EXPECT_EQ(verdict(policy, "move_mount"), eperm);
    EXPECT_EQ(verdict(policy, "chroot"), eperm);
    uint64_t audit[6] = {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT};
    EXPECT_EQ(verdict(policy, "socket", audit), eperm);
#if defined(__x86_64__)
    uint64_t subcall[6] = {1 /* SYS_SOCKET */};
    EXPECT_EQ(verdict(policy, "socketcall", subcall, AUDIT_ARCH_I386), eperm);
    subcall[0] = 2;
    EXPECT_EQ(verdict(policy, "socketcall", subcall, AUDIT_ARCH_I386), allow);
#endif
}

TEST(DefaultList, KnowsEveryNameOfItsOwn) {
    for (const Names* names : {&allowed_calls(), &refused_calls()}) {
        spec::Security security;
        security.syscalls_deny.assign(names->begin(), names->end());
        policy_of(0, security);
    }
    for (std::string_view name : group_names()) {
        spec::Security security;
        security.syscalls_deny = {std::string(name)};
        policy_of(0, security);
    }
}

TEST(DefaultList, RefusesNamesThatDoNotExist) {
    DefaultRequest request;
    request.deny = {"mont"};
    auto policy = resolve(request);
    ASSERT_FALSE(policy);
    EXPECT_NE(policy.error().text.find("'mont' is no system call"), std::string::npos) << policy.error().text;
}

TEST(AddressFamilies, AllowOnlyThoseListed) {
    spec::Security security;
    security.address_families = {"AF_UNIX", "AF_NETLINK"};
    Policy policy = policy_of(0, security);
    EXPECT_EQ(verdict(policy, "socket", {AF_UNIX}), allow);
    EXPECT_EQ(verdict(policy, "socket", {0xffffffff00000000 | AF_UNIX}), allow);
    EXPECT_EQ(verdict(policy, "socket", {AF_INET}), unsupported);
    EXPECT_EQ(verdict(policy, "socket", {AF_NETLINK, 0, NETLINK_AUDIT}), unsupported);
    // Doors to sockets that a filter cannot look through are closed.
    EXPECT_EQ(verdict(policy, "io_uring_setup"), enosys);
#if defined(__x86_64__)
    EXPECT_EQ(verdict(policy, "socketcall", {1}, AUDIT_ARCH_I386), unsupported);
#endif
}

TEST(AddressFamilies, DenyThoseListed) {
    spec::Security security;
    security.address_families = {"AF_PACKET"};
    security.address_families_deny = true;
    Policy policy = policy_of(0, security);
    EXPECT_EQ(verdict(policy, "socket", {AF_INET}), allow);
    EXPECT_EQ(verdict(policy, "socket", {AF_PACKET}), unsupported);
    EXPECT_EQ(verdict(policy, "socket", {0x500000000 | AF_PACKET}), unsupported);
}

TEST(SuppressSync, MakesSyncsSucceedAndSynchronousOpensFail) {
    spec::Security security;
    security.suppress_sync = true;
    security.syscalls_deny = {"syncfs"};
    Policy policy = policy_of(0, security);
    for (const char* name : {"fsync", "fdatasync", "sync", "msync", "sync_file_range"})
        EXPECT_EQ(verdict(policy, name), SECCOMP_RET_ERRNO | 0u) << name;
    EXPECT_EQ(verdict(policy, "syncfs"), eperm);
    constexpr uint32_t einval = SECCOMP_RET_ERRNO | EINVAL;
    EXPECT_EQ(verdict(policy, "openat", {0, 0, O_RDWR | O_CREAT}), allow);
    EXPECT_EQ(verdict(policy, "openat", {0, 0, O_RDWR | O_SYNC}), einval);
    EXPECT_EQ(verdict(policy, "openat", {0, 0, 0x700000000 | O_DSYNC}), einval);
    EXPECT_EQ(verdict(policy, "openat2"), enosys);
#if defined(__x86_64__)
    EXPECT_EQ(verdict(policy, "open", {0, O_SYNC}), einval);
#endif
}

// The instructions decide what the policy says, for every number and several arguments.
TEST(DefaultList, CompilesToItsPolicy) {
    spec::Security strange;
    strange.address_families = {"AF_UNIX", "AF_INET", "AF_INET6"};
    strange.suppress_sync = true;
    strange.syscalls_deny = {"socket", "shmget", "@keyring"};
    for (uint64_t capabilities : {uint64_t{0}, nspawn_capabilities, ~uint64_t{0}}) {
        for (const spec::Security& security : {spec::Security{}, strange}) {
            Policy policy = policy_of(capabilities, security);
            auto code = generate(policy);
            ASSERT_TRUE(code);
            EXPECT_LT(code->size(), 700u);
            Dice dice(capabilities + 5);
            for (const ArchTable& arch : policy.arches) {
                for (uint32_t i = 0; i < 4 * 700; ++i) {
                    uint32_t number = i % 700 + (i & 1 ? x32_bit : 0);
                    uint64_t args[6] = {dice.below(50), dice.below(50), dice.next(), dice.next(), 0, 0};
                    auto got = run_filter(*code, call_of(arch.audit_arch, number, args));
                    ASSERT_EQ(got, evaluate(policy, arch.audit_arch, number, args)) << number;
                }
            }
        }
    }
}

// "systemd-analyze syscall-filter" prints each group with its members, indented.
std::map<std::string, Names> systemd_groups() {
    std::map<std::string, Names> out;
    FILE* pipe = popen("systemd-analyze --no-pager syscall-filter 2>/dev/null", "r");
    char line[256];
    std::string current;
    while (pipe && fgets(line, sizeof line, pipe)) {
        std::string text(line);
        text.erase(text.find_last_not_of(" \n") + 1);
        if (text.starts_with('@')) current = text;
        if (text.starts_with("    ") && text[4] != '#' && !current.empty())
            out[current].insert(text.substr(4));
    }
    if (pipe) pclose(pipe);
    return out;
}

TEST(Groups, HoldWhatThisHostsSystemdPutsThere) {
    auto theirs = systemd_groups();
    if (theirs.empty()) GTEST_SKIP() << "systemd-analyze is not installed or prints no groups";
    theirs.erase("@known");  // a list of the kernel's calls, not a choice
    auto names = group_names();
    Names ours(names.begin(), names.end());
    for (auto& [name, members] : theirs) {
        ASSERT_TRUE(ours.contains(name)) << name;
        Names have = group(name);
        for (const std::string& member : members)
            EXPECT_TRUE(member.starts_with('@') || have.contains(member)) << name << " lacks " << member;
    }
}

}  // namespace
}  // namespace croft::seccomp
