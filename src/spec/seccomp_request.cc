#include "spec/seccomp_request.h"

#include <linux/capability.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/text.h"

namespace croft::spec {

namespace {

constexpr std::string_view first_line = "croft-seccomp 1\n";

// Capabilities that the default list looks at; all others would only make equal filters look different.
constexpr int gating_capabilities[] = {
    CAP_SYS_TIME,   CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_IPC_LOCK,       CAP_SYS_PACCT,
    CAP_SYS_PTRACE, CAP_SYS_BOOT,   CAP_SYSLOG,    CAP_SYS_TTY_CONFIG, 39 /* BPF */};

constexpr std::string_view groups[] = {
    "@aio",        "@basic-io",    "@chown",    "@clock",      "@cpu-emulation",  "@debug",
    "@default",    "@file-system", "@io-event", "@ipc",        "@keyring",        "@known",
    "@memlock",    "@module",      "@mount",    "@network-io", "@obsolete",       "@pkey",
    "@privileged", "@process",     "@raw-io",   "@reboot",     "@resources",      "@sandbox",
    "@setuid",     "@signal",      "@swap",     "@sync",       "@system-service", "@timer"};

// address_families(7) with the numbers of <linux/socket.h>, which are the same on every architecture.
constexpr std::pair<std::string_view, int> families[] = {
    {"AF_UNIX", 1},      {"AF_LOCAL", 1},    {"AF_INET", 2},        {"AF_AX25", 3},     {"AF_IPX", 4},
    {"AF_APPLETALK", 5}, {"AF_NETROM", 6},   {"AF_BRIDGE", 7},      {"AF_ATMPVC", 8},   {"AF_X25", 9},
    {"AF_INET6", 10},    {"AF_ROSE", 11},    {"AF_DECnet", 12},     {"AF_NETBEUI", 13}, {"AF_SECURITY", 14},
    {"AF_KEY", 15},      {"AF_NETLINK", 16}, {"AF_ROUTE", 16},      {"AF_PACKET", 17},  {"AF_ASH", 18},
    {"AF_ECONET", 19},   {"AF_ATMSVC", 20},  {"AF_RDS", 21},        {"AF_SNA", 22},     {"AF_IRDA", 23},
    {"AF_PPPOX", 24},    {"AF_WANPIPE", 25}, {"AF_LLC", 26},        {"AF_IB", 27},      {"AF_MPLS", 28},
    {"AF_CAN", 29},      {"AF_TIPC", 30},    {"AF_BLUETOOTH", 31},  {"AF_IUCV", 32},    {"AF_RXRPC", 33},
    {"AF_ISDN", 34},     {"AF_PHONET", 35},  {"AF_IEEE802154", 36}, {"AF_CAIF", 37},    {"AF_ALG", 38},
    {"AF_NFC", 39},      {"AF_VSOCK", 40},   {"AF_KCM", 41},        {"AF_QIPCRTR", 42}, {"AF_SMC", 43},
    {"AF_XDP", 44},      {"AF_MCTP", 45}};

constexpr std::string_view actions[] = {"SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS",
                                        "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO",       "SCMP_ACT_TRACE",
                                        "SCMP_ACT_LOG",  "SCMP_ACT_ALLOW",       "SCMP_ACT_NOTIFY"};

// Actions that carry a number: the errno of the one, the message of the other.
bool takes_number(std::string_view action) {
    return action == "SCMP_ACT_ERRNO" || action == "SCMP_ACT_TRACE";
}

constexpr std::string_view operators[] = {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",       "SCMP_CMP_EQ",
                                          "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"};

constexpr std::string_view architectures[] = {
    "SCMP_ARCH_X86",     "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",         "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",        "SCMP_ARCH_S390X",
    "SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",     "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",    "SCMP_ARCH_SH",       "SCMP_ARCH_SHEB"};

constexpr std::string_view filter_flags[] = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                                             "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                                             "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};

bool is_one_of(std::string_view word, std::span<const std::string_view> list) {
    return std::ranges::find(list, word) != list.end();
}

// A name that cannot break out of its line. Whether it names a system call is for croft-seccomp to say.
bool is_call_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

Result<> add_names(std::string& out, std::string_view keyword, const std::vector<std::string>& names) {
    for (const std::string& name : std::set<std::string>(names.begin(), names.end())) {
        if (name.starts_with('@') && !is_one_of(name, groups)) {
            std::string near = closest(name, {std::begin(groups), std::end(groups)});
            return error(Errc::invalid, cat(quoted(name), " is no group of system calls",
                                            near.empty() ? "" : cat("; did you mean ", near, "?")));
        }
        if (!name.starts_with('@') && !is_call_name(name))
            return error(Errc::invalid, cat(quoted(name), " is no name of a system call"));
        out += cat(keyword, ' ', name, '\n');
    }
    return {};
}

Result<> add_families(std::string& out, const Security& security) {
    std::set<int> numbers;
    for (const std::string& name : security.address_families) {
        auto row =
            std::ranges::find(families, std::string_view(name), &std::pair<std::string_view, int>::first);
        if (row == std::end(families))
            return error(Errc::invalid,
                         cat(quoted(name), " is no address family (AF_UNIX, AF_INET, AF_INET6, …)"));
        numbers.insert(row->second);
    }
    if (numbers.empty()) return {};
    out += security.address_families_deny ? "families deny" : "families allow";
    for (int number : numbers) out += cat(' ', number);
    out += '\n';
    return {};
}

Result<std::string> action_text(std::string_view action, std::optional<uint32_t> number,
                                std::string_view what) {
    if (!is_one_of(action, actions))
        return error(Errc::invalid, cat(what, ": ", quoted(action), " is no seccomp action (SCMP_ACT_…)"));
    if (!takes_number(action) && number)
        return error(Errc::invalid, cat(what, ": ", action, " takes no errno, but ", *number, " was given"));
    if (number && *number > 0xffff)
        return error(Errc::invalid, cat(what, ": errno ", *number, " is above 65535"));
    return takes_number(action) ? cat(action, ' ', number.value_or(1 /* EPERM */)) : cat(action, " -");
}

std::string condition_text(const SeccompArg& arg) {
    uint64_t second = arg.op == "SCMP_CMP_MASKED_EQ" ? arg.value_two : 0;  // the others ignore it
    return cat("if ", arg.index, ' ', arg.op, ' ', arg.value, ' ', second, '\n');
}

Result<> check_rule(const SeccompRule& rule, std::string_view what) {
    if (rule.names.empty()) return error(Errc::invalid, cat(what, ": no system call is named"));
    for (const std::string& name : rule.names)
        if (!is_call_name(name))
            return error(Errc::invalid, cat(what, ": ", quoted(name), " is no name of a system call"));
    for (const SeccompArg& arg : rule.args) {
        if (arg.index > 5)
            return error(Errc::invalid, cat(what, ": a system call has arguments 0 to 5, not ", arg.index));
        if (!is_one_of(arg.op, operators))
            return error(Errc::invalid, cat(what, ": ", quoted(arg.op), " is no comparison (SCMP_CMP_…)"));
    }
    return {};
}

// Conditions on different arguments must all hold. Two on the same argument are alternatives: every runtime
// makes a rule of each condition then, also of those on other arguments.
Result<> add_rule(std::string& out, const SeccompRule& rule, size_t number) {
    std::string what = cat("seccomp rule ", number + 1);
    TRY(check_rule(rule, what));
    std::string head = cat("rule ", TRY(action_text(rule.action, rule.errno_ret, what)));
    for (const std::string& name : rule.names) (head += ' ') += name;
    head += '\n';
    unsigned indexes = 0;
    bool alternatives = false;
    for (const SeccompArg& arg : rule.args) {
        alternatives = alternatives || (indexes >> arg.index & 1);
        indexes |= 1u << arg.index;
    }
    if (!alternatives) out += head;
    for (const SeccompArg& arg : rule.args) out += cat(alternatives ? head : "", condition_text(arg));
    return {};
}

// TSYNC is left out: the process that loads the filter has one thread, and with a listener the kernel refuses
// it.
Result<> add_flags(std::string& out, const SeccompProfile& profile, bool notifies) {
    for (const std::string& flag : std::set<std::string>(profile.flags.begin(), profile.flags.end())) {
        if (!is_one_of(flag, filter_flags))
            return error(Errc::invalid, cat(quoted(flag), " is no seccomp flag (SECCOMP_FILTER_FLAG_…)"));
        if (flag.ends_with("WAIT_KILLABLE_RECV") && !notifies)
            return error(Errc::invalid, cat(flag, " needs a rule with SCMP_ACT_NOTIFY"));
        if (!flag.ends_with("TSYNC")) out += cat("flag ", flag, '\n');
    }
    return {};
}

// The listener's peer reads the notification and answers through system calls; a process whose own writes
// notify could never hand the descriptor over, so runtimes refuse that.
Result<bool> check_notify(const SeccompProfile& profile) {
    if (profile.default_action == "SCMP_ACT_NOTIFY")
        return error(Errc::invalid, "SCMP_ACT_NOTIFY cannot be the default action of a seccomp profile");
    bool notifies = false;
    for (const SeccompRule& rule : profile.rules) {
        if (rule.action != "SCMP_ACT_NOTIFY") continue;
        notifies = true;
        if (std::ranges::find(rule.names, "write") != rule.names.end())
            return error(Errc::invalid, "SCMP_ACT_NOTIFY cannot be used for 'write'");
    }
    if (notifies && profile.listener_path.empty())
        return error(Errc::invalid, "a seccomp profile with SCMP_ACT_NOTIFY needs a listenerPath");
    return notifies;
}

}  // namespace

Result<std::string> default_request(uint64_t capabilities, const Security& security) {
    uint64_t gating = 0;
    for (int capability : gating_capabilities) gating |= capabilities & (uint64_t{1} << capability);
    char digits[17];
    auto end = std::to_chars(digits, digits + sizeof digits, gating, 16).ptr;
    std::string out = cat(first_line, "default\ncaps ", std::string_view(digits, end), '\n');
    TRY(add_names(out, "allow", security.syscalls_allow));
    TRY(add_names(out, "deny", security.syscalls_deny));
    TRY(add_families(out, security));
    if (security.suppress_sync) out += "suppress-sync\n";
    return out;
}

Result<std::string> profile_request(const SeccompProfile& profile) {
    bool notifies = TRY(check_notify(profile));
    std::string action =
        TRY(action_text(profile.default_action, profile.default_errno, "seccomp default action"));
    std::string out = cat(first_line, "profile\ndefault ", action, '\n');
    for (const std::string& arch :
         std::set<std::string>(profile.architectures.begin(), profile.architectures.end())) {
        if (!is_one_of(arch, architectures))
            return error(Errc::invalid, cat(quoted(arch), " is no architecture (SCMP_ARCH_X86_64, …)"));
        out += cat("arch ", arch, '\n');
    }
    TRY(add_flags(out, profile, notifies));
    for (size_t i = 0; i < profile.rules.size(); ++i) TRY(add_rule(out, profile.rules[i], i));
    return out;
}

std::span<const std::string_view> seccomp_actions() {
    return actions;
}
std::span<const std::string_view> seccomp_operators() {
    return operators;
}
std::span<const std::string_view> seccomp_architectures() {
    return architectures;
}
std::span<const std::string_view> seccomp_flags() {
    return filter_flags;
}

}  // namespace croft::spec
