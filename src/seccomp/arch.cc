#include "seccomp/arch.h"

#include <seccomp.h>

#include <cstdlib>
#include <utility>

#include "base/text.h"

namespace croft::seccomp {

namespace {

constexpr uint32_t little_endian = 0x40000000;  // __AUDIT_ARCH_LE
constexpr uint32_t is_64bit = 0x80000000;       // __AUDIT_ARCH_64BIT

// System calls that are younger than some libseccomp this is built with. Since Linux 5.1 new calls have the
// same number everywhere (MIPS adds its own base, x32 its bit), so the table serves all architectures.
constexpr std::pair<std::string_view, uint32_t> supplement[] = {{"set_mempolicy_home_node", 450},
                                                                {"cachestat", 451},
                                                                {"fchmodat2", 452},
                                                                {"map_shadow_stack", 453},
                                                                {"futex_wake", 454},
                                                                {"futex_wait", 455},
                                                                {"futex_requeue", 456},
                                                                {"statmount", 457},
                                                                {"listmount", 458},
                                                                {"lsm_get_self_attr", 459},
                                                                {"lsm_set_self_attr", 460},
                                                                {"lsm_list_modules", 461},
                                                                {"mseal", 462},
                                                                {"setxattrat", 463},
                                                                {"getxattrat", 464},
                                                                {"listxattrat", 465},
                                                                {"removexattrat", 466},
                                                                {"open_tree_attr", 467},
                                                                {"file_getattr", 468},
                                                                {"file_setattr", 469},
                                                                {"listns", 470},
                                                                {"rseq_slice_yield", 471}};

// Numbers of x86-64 alone, in a gap of its old table.
constexpr std::pair<std::string_view, uint32_t> x86_64_supplement[] = {{"uretprobe", 335}, {"uprobe", 336}};

// <linux/net.h> and <linux/ipc.h>: the first argument of the multiplexers.
constexpr std::pair<std::string_view, uint32_t> socket_calls[] = {
    {"socket", 1},      {"bind", 2},        {"connect", 3},    {"listen", 4},      {"accept", 5},
    {"getsockname", 6}, {"getpeername", 7}, {"socketpair", 8}, {"send", 9},        {"recv", 10},
    {"sendto", 11},     {"recvfrom", 12},   {"shutdown", 13},  {"setsockopt", 14}, {"getsockopt", 15},
    {"sendmsg", 16},    {"recvmsg", 17},    {"accept4", 18},   {"recvmmsg", 19},   {"sendmmsg", 20}};
constexpr std::pair<std::string_view, uint32_t> ipc_calls[] = {
    {"semop", 1},   {"semget", 2},  {"semctl", 3}, {"semtimedop", 4}, {"msgsnd", 11}, {"msgrcv", 12},
    {"msgget", 13}, {"msgctl", 14}, {"shmat", 21}, {"shmdt", 22},     {"shmget", 23}, {"shmctl", 24}};

template <size_t n>
uint32_t subcall(const std::pair<std::string_view, uint32_t> (&table)[n], std::string_view name) {
    for (auto& [call, number] : table)
        if (call == name) return number;
    return 0;
}

// MIPS numbers its three ABIs from 4000, 5000 and 6000 on.
uint32_t first_number(uint32_t token) {
    switch (token) {
        case SCMP_ARCH_X32:
            return x32_bit;
        case SCMP_ARCH_MIPS:
        case SCMP_ARCH_MIPSEL:
            return 4000;
        case SCMP_ARCH_MIPS64:
        case SCMP_ARCH_MIPSEL64:
            return 5000;
        case SCMP_ARCH_MIPS64N32:
        case SCMP_ARCH_MIPSEL64N32:
            return 6000;
        default:
            return 0;
    }
}

constexpr uint32_t highest_table_number = 999;

void add_names(uint32_t token, uint32_t from, uint32_t to,
               std::map<std::string, uint32_t, std::less<>>& numbers) {
    for (uint32_t number = from; number <= to; ++number) {
        char* name = seccomp_syscall_resolve_num_arch(token, static_cast<int>(number));
        if (!name) continue;
        numbers.try_emplace(name, number);
        std::free(name);
    }
}

}  // namespace

Arch::Arch(uint32_t token) : token_(token) {
    uint32_t base = first();
    add_names(token, base, base + highest_table_number, numbers_);
    if (token == SCMP_ARCH_ARM) add_names(token, 0xf0000, 0xf000f, numbers_);  // breakpoint, set_tls, …
    for (auto& [name, number] : supplement) numbers_.try_emplace(std::string(name), base + number);
    if (token == SCMP_ARCH_X86_64)
        for (auto& [name, number] : x86_64_supplement) numbers_.try_emplace(std::string(name), number);
}

uint32_t Arch::first() const {
    return first_number(token_);
}

Width Arch::width() const {
    return token_ & is_64bit ? Width::full : Width::low;
}

CallNumbers Arch::find(std::string_view name) const {
    CallNumbers out;
    if (auto row = numbers_.find(name); row != numbers_.end()) out.direct = true, out.number = row->second;
    auto through = [&](std::string_view multiplexer, uint32_t number) {
        auto row = numbers_.find(multiplexer);
        if (number == 0 || row == numbers_.end()) return;
        out.multiplexed = true, out.multiplexer = row->second, out.subcall = number;
    };
    through("socketcall", subcall(socket_calls, name));
    through("ipc", subcall(ipc_calls, name));
    return out;
}

uint32_t audit_arch(uint32_t token) {
    return token == SCMP_ARCH_X32 ? static_cast<uint32_t>(SCMP_ARCH_X86_64) : token;
}

uint32_t native_token() {
    return seccomp_arch_native();
}

std::vector<uint32_t> native_and_compat() {
    switch (native_token()) {
        case SCMP_ARCH_X86_64:
            return {SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32};
        case SCMP_ARCH_AARCH64:
            return {SCMP_ARCH_AARCH64, SCMP_ARCH_ARM};
        default:
            return {native_token()};
    }
}

uint32_t arch_token(std::string_view oci_name) {
    constexpr std::string_view prefix = "SCMP_ARCH_";
    if (!oci_name.starts_with(prefix)) return 0;
    uint32_t token = seccomp_arch_resolve_name(lower(oci_name.substr(prefix.size())).c_str());
    return (token & little_endian) == (native_token() & little_endian) ? token : 0;
}

bool call_exists(std::string_view name) {
    for (auto& [call, number] : supplement)
        if (call == name) return true;
    for (auto& [call, number] : x86_64_supplement)
        if (call == name) return true;
    return seccomp_syscall_resolve_name(std::string(name).c_str()) != __NR_SCMP_ERROR;
}

}  // namespace croft::seccomp
