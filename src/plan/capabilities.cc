#include "plan/capabilities.h"

#include <iterator>

#include "base/text.h"

namespace croft::plan {

namespace {

// In the order of their numbers (linux/capability.h).
constexpr std::string_view names[] = {"chown",
                                      "dac_override",
                                      "dac_read_search",
                                      "fowner",
                                      "fsetid",
                                      "kill",
                                      "setgid",
                                      "setuid",
                                      "setpcap",
                                      "linux_immutable",
                                      "net_bind_service",
                                      "net_broadcast",
                                      "net_admin",
                                      "net_raw",
                                      "ipc_lock",
                                      "ipc_owner",
                                      "sys_module",
                                      "sys_rawio",
                                      "sys_chroot",
                                      "sys_ptrace",
                                      "sys_pacct",
                                      "sys_admin",
                                      "sys_boot",
                                      "sys_nice",
                                      "sys_resource",
                                      "sys_time",
                                      "sys_tty_config",
                                      "mknod",
                                      "lease",
                                      "audit_write",
                                      "audit_control",
                                      "setfcap",
                                      "mac_override",
                                      "mac_admin",
                                      "syslog",
                                      "wake_alarm",
                                      "block_suspend",
                                      "audit_read",
                                      "perfmon",
                                      "bpf",
                                      "checkpoint_restore"};
static_assert(std::size(names) == 41);

constexpr uint64_t bits(std::initializer_list<std::string_view> wanted) {
    uint64_t set = 0;
    for (std::string_view name : wanted) {
        size_t number = 0;
        while (names[number] != name) ++number;  // a misspelt name does not compile
        set |= uint64_t{1} << number;
    }
    return set;
}

constexpr uint64_t app_set =
    bits({"chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
          "net_bind_service", "sys_chroot", "setfcap", "audit_write", "mknod", "net_raw"});
static_assert(app_set == 0xa80425fb);
constexpr uint64_t boot_set = bits({"chown",
                                    "dac_override",
                                    "dac_read_search",
                                    "fowner",
                                    "fsetid",
                                    "kill",
                                    "setgid",
                                    "setuid",
                                    "setpcap",
                                    "linux_immutable",
                                    "net_bind_service",
                                    "net_broadcast",
                                    "net_raw",
                                    "ipc_owner",
                                    "sys_chroot",
                                    "sys_ptrace",
                                    "sys_admin",
                                    "sys_boot",
                                    "sys_nice",
                                    "sys_resource",
                                    "sys_tty_config",
                                    "mknod",
                                    "lease",
                                    "audit_write",
                                    "audit_control",
                                    "setfcap"});
static_assert(boot_set == 0xfdecafff);

}  // namespace

std::optional<unsigned> capability_number(std::string_view name) {
    std::string word = lower(name);
    std::string_view bare = word;
    if (bare.starts_with("cap_")) bare.remove_prefix(4);
    for (unsigned number = 0; number < std::size(names); ++number)
        if (names[number] == bare) return number;
    // A kernel newer than this table: its capabilities go by number.
    if (auto number = parse_uint(bare); number && *number < 64) return static_cast<unsigned>(*number);
    return std::nullopt;
}

std::string capability_name(unsigned number) {
    if (number >= std::size(names)) return cat("CAP_", number);
    std::string name = "CAP_";
    for (char c : names[number]) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return name;
}

std::vector<std::string> capability_names(uint64_t set) {
    std::vector<std::string> list;
    for (unsigned number = 0; number < 64; ++number)
        if (set >> number & 1) list.push_back(capability_name(number));
    return list;
}

uint64_t app_capabilities() {
    return app_set;
}
uint64_t boot_capabilities() {
    return boot_set;
}

Result<uint64_t> capability_set(const std::vector<std::string>& list, uint64_t last) {
    uint64_t set = 0;
    for (const std::string& name : list) {
        if (lower(name) == "all") {
            set |= last >= 63 ? UINT64_MAX : (uint64_t{1} << (last + 1)) - 1;
            continue;
        }
        auto number = capability_number(name);
        if (!number)
            return error(Errc::invalid, cat(quoted(name), " is no capability (CAP_NET_ADMIN, …, all)"));
        set |= uint64_t{1} << *number;
    }
    return set;
}

Result<uint64_t> adjusted_set(uint64_t start, const spec::Security& security, uint64_t last) {
    uint64_t add = TRY(capability_set(security.cap_add, last).within("--cap-add")) |
                   TRY(capability_set(security.cap_ambient, last).within("--ambient-capability"));
    uint64_t drop = TRY(capability_set(security.cap_drop, last).within("--cap-drop"));
    for (const std::string& name : security.cap_drop)
        if (lower(name) == "all") return add;
    return (start | add) & ~drop;
}

}  // namespace croft::plan
