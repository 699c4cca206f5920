#include "spec/name_tables.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace croft::spec {

namespace {
using std::string_view;

// In the order of their numbers, capabilities(7) up to Linux 5.9 (CHECKPOINT_RESTORE is the newest in 6.18
// too).
constexpr string_view capabilities[] = {"CHOWN",
                                        "DAC_OVERRIDE",
                                        "DAC_READ_SEARCH",
                                        "FOWNER",
                                        "FSETID",
                                        "KILL",
                                        "SETGID",
                                        "SETUID",
                                        "SETPCAP",
                                        "LINUX_IMMUTABLE",
                                        "NET_BIND_SERVICE",
                                        "NET_BROADCAST",
                                        "NET_ADMIN",
                                        "NET_RAW",
                                        "IPC_LOCK",
                                        "IPC_OWNER",
                                        "SYS_MODULE",
                                        "SYS_RAWIO",
                                        "SYS_CHROOT",
                                        "SYS_PTRACE",
                                        "SYS_PACCT",
                                        "SYS_ADMIN",
                                        "SYS_BOOT",
                                        "SYS_NICE",
                                        "SYS_RESOURCE",
                                        "SYS_TIME",
                                        "SYS_TTY_CONFIG",
                                        "MKNOD",
                                        "LEASE",
                                        "AUDIT_WRITE",
                                        "AUDIT_CONTROL",
                                        "SETFCAP",
                                        "MAC_OVERRIDE",
                                        "MAC_ADMIN",
                                        "SYSLOG",
                                        "WAKE_ALARM",
                                        "BLOCK_SUSPEND",
                                        "AUDIT_READ",
                                        "PERFMON",
                                        "BPF",
                                        "CHECKPOINT_RESTORE"};

// Index is the number; the numbers are the same on x86, arm, riscv, s390 and power.
constexpr string_view signals[] = {"",       "HUP",  "INT",    "QUIT", "ILL",   "TRAP", "ABRT", "BUS",
                                   "FPE",    "KILL", "USR1",   "SEGV", "USR2",  "PIPE", "ALRM", "TERM",
                                   "STKFLT", "CHLD", "CONT",   "STOP", "TSTP",  "TTIN", "TTOU", "URG",
                                   "XCPU",   "XFSZ", "VTALRM", "PROF", "WINCH", "IO",   "PWR",  "SYS"};

constexpr string_view rlimits[] = {"CPU",      "FSIZE",  "DATA",    "STACK", "CORE",  "RSS",
                                   "NPROC",    "NOFILE", "MEMLOCK", "AS",    "LOCKS", "SIGPENDING",
                                   "MSGQUEUE", "NICE",   "RTPRIO",  "RTTIME"};

constexpr string_view families[] = {
    "UNIX",   "LOCAL",   "INET",    "AX25",   "IPX",        "APPLETALK", "NETROM", "BRIDGE",
    "ATMPVC", "X25",     "INET6",   "ROSE",   "NETBEUI",    "SECURITY",  "KEY",    "NETLINK",
    "ROUTE",  "PACKET",  "ASH",     "ECONET", "ATMSVC",     "RDS",       "SNA",    "IRDA",
    "PPPOX",  "WANPIPE", "LLC",     "IB",     "MPLS",       "CAN",       "TIPC",   "BLUETOOTH",
    "IUCV",   "RXRPC",   "ISDN",    "PHONET", "IEEE802154", "CAIF",      "ALG",    "NFC",
    "VSOCK",  "KCM",     "QIPCRTR", "SMC",    "XDP",        "MCTP"};

constexpr string_view scalar_properties[] = {"CPUAccounting",
                                             "CPUWeight",
                                             "StartupCPUWeight",
                                             "CPUQuota",
                                             "CPUQuotaPeriodSec",
                                             "CPUPressureWatch",
                                             "CPUPressureThresholdSec",
                                             "AllowedCPUs",
                                             "StartupAllowedCPUs",
                                             "AllowedMemoryNodes",
                                             "StartupAllowedMemoryNodes",
                                             "MemoryAccounting",
                                             "MemoryMin",
                                             "MemoryLow",
                                             "StartupMemoryLow",
                                             "DefaultMemoryMin",
                                             "DefaultMemoryLow",
                                             "DefaultStartupMemoryLow",
                                             "MemoryHigh",
                                             "StartupMemoryHigh",
                                             "MemoryMax",
                                             "StartupMemoryMax",
                                             "MemorySwapMax",
                                             "StartupMemorySwapMax",
                                             "MemoryZSwapMax",
                                             "StartupMemoryZSwapMax",
                                             "MemoryZSwapWriteback",
                                             "MemoryPressureWatch",
                                             "MemoryPressureThresholdSec",
                                             "TasksAccounting",
                                             "TasksMax",
                                             "IOAccounting",
                                             "IOWeight",
                                             "StartupIOWeight",
                                             "IOPressureWatch",
                                             "IOPressureThresholdSec",
                                             "IPAccounting",
                                             "DevicePolicy",
                                             "Slice",
                                             "Delegate",
                                             "DelegateSubgroup",
                                             "ManagedOOMSwap",
                                             "ManagedOOMMemoryPressure",
                                             "ManagedOOMMemoryPressureLimit",
                                             "ManagedOOMMemoryPressureDurationSec",
                                             "ManagedOOMPreference",
                                             "CoredumpReceive",
                                             "OOMPolicy"};

constexpr string_view list_properties[] = {"IODeviceWeight",
                                           "IOReadBandwidthMax",
                                           "IOWriteBandwidthMax",
                                           "IOReadIOPSMax",
                                           "IOWriteIOPSMax",
                                           "IODeviceLatencyTargetSec",
                                           "IPAddressAllow",
                                           "IPAddressDeny",
                                           "SocketBindAllow",
                                           "SocketBindDeny",
                                           "RestrictNetworkInterfaces",
                                           "NFTSet",
                                           "IPIngressFilterPath",
                                           "IPEgressFilterPath",
                                           "BPFProgram",
                                           "DeviceAllow",
                                           "DisableControllers"};

std::string upper(string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

std::string without_prefix(string_view text, string_view prefix) {
    std::string out = upper(text);
    if (out.starts_with(prefix)) out.erase(0, prefix.size());
    return out;
}

template <size_t N>
bool holds(const string_view (&table)[N], string_view name) {
    return !name.empty() && std::ranges::find(table, name) != std::end(table);
}

template <size_t N>
std::string suggestion(const string_view (&table)[N], string_view name, string_view prefix) {
    std::string near = closest(name, {std::begin(table), std::end(table)});
    return near.empty() ? "" : cat(" (did you mean '", prefix, near, "'?)");
}
}  // namespace

std::string did_you_mean(string_view word, const std::vector<std::string>& candidates) {
    std::string near = closest(word, candidates);
    return near.empty() ? "" : cat(" (did you mean '", near, "'?)");
}

Result<std::string> capability_name(string_view text) {
    if (lower(text) == "all") return std::string("all");
    std::string bare = without_prefix(text, "CAP_");
    if (holds(capabilities, bare)) return cat("CAP_", bare);
    return error(Errc::invalid, cat(quoted(text), " is no capability of capabilities(7)",
                                    suggestion(capabilities, bare, "CAP_")));
}

std::optional<unsigned> capability_number(string_view name) {
    if (!name.starts_with("CAP_")) return {};
    auto at = std::ranges::find(capabilities, name.substr(4));
    if (at == std::end(capabilities)) return {};
    return static_cast<unsigned>(at - std::begin(capabilities));
}

std::vector<std::string> capability_names() {
    std::vector<std::string> out;
    for (string_view bare : capabilities) out.push_back(cat("CAP_", bare));
    return out;
}

Result<std::string> signal_name(string_view text) {
    auto number = parse_uint(text);
    if (number && *number >= 1 && *number < std::size(signals)) return cat("SIG", signals[*number]);
    // The C library keeps 32 and 33 for itself, so its SIGRTMIN is 34 and SIGRTMAX 64.
    if (number && *number >= 34 && *number <= 64) return cat("SIGRTMIN+", *number - 34);
    std::string bare = without_prefix(text, "SIG");
    if (holds(signals, bare)) return cat("SIG", bare);
    if (bare == "RTMIN") return std::string("SIGRTMIN+0");
    if (bare == "RTMAX") return std::string("SIGRTMIN+30");
    if (bare.starts_with("RTMIN+") || bare.starts_with("RTMAX-")) {
        auto offset = parse_uint(string_view(bare).substr(6));
        if (offset && *offset <= 30) return cat("SIGRTMIN+", bare[5] == '+' ? *offset : 30 - *offset);
    }
    std::string hint = suggestion(signals, bare, "SIG");
    return error(Errc::invalid,
                 cat(quoted(text), " is no signal", hint.empty() ? " (SIGTERM, SIGRTMIN+3, 15, …)" : hint));
}

Result<std::string> rlimit_name(string_view text) {
    std::string bare = without_prefix(text, "RLIMIT_");
    if (holds(rlimits, bare)) return bare;
    return error(Errc::invalid,
                 cat(quoted(text), " is no resource limit of getrlimit(2)", suggestion(rlimits, bare, "")));
}

Result<std::string> address_family_name(string_view text) {
    std::string bare = without_prefix(text, "AF_");
    if (holds(families, bare)) return cat("AF_", bare);
    return error(Errc::invalid, cat(quoted(text), " is no address family of address_families(7)",
                                    suggestion(families, bare, "AF_")));
}

std::span<const string_view> rlimit_names() {
    return rlimits;
}

PropertyKind resource_property(string_view name) {
    if (holds(scalar_properties, name)) return PropertyKind::scalar;
    return holds(list_properties, name) ? PropertyKind::list : PropertyKind::unknown;
}

std::vector<std::string> resource_property_names() {
    std::vector<std::string> names(std::begin(scalar_properties), std::end(scalar_properties));
    names.insert(names.end(), std::begin(list_properties), std::end(list_properties));
    return names;
}

}  // namespace croft::spec
