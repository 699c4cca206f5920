#include "run/device_program.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "run/bpf_store.h"

namespace croft::run {

namespace {

using launch::DeviceAccess;

constexpr int32_t all_access = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;

constexpr bpf_insn insn(uint8_t code, uint8_t to, uint8_t from, int16_t offset, int32_t value) {
    return {code, to, from, offset, value};
}

Result<int32_t> access_bits(const DeviceAccess& rule) {
    int32_t bits = 0;
    for (char c : rule.access) {
        if (c != 'r' && c != 'w' && c != 'm')
            return error(Errc::invalid,
                         cat("device access ", quoted(rule.access), " is not made of r, w and m"));
        bits |= c == 'r' ? BPF_DEVCG_ACC_READ : c == 'w' ? BPF_DEVCG_ACC_WRITE : BPF_DEVCG_ACC_MKNOD;
    }
    return bits;
}

Result<> check_rule(const DeviceAccess& rule) {
    if (rule.type != 'a' && rule.type != 'b' && rule.type != 'c')
        return error(Errc::invalid, cat("device type ", quoted({&rule.type, 1}), " is none of a, b and c"));
    if (rule.major > 0xfff || rule.minor > 0xfffff)
        return error(Errc::invalid, cat("device ", rule.major, ':', rule.minor, " is out of range"));
    return {};
}

// Registers: r2 type, r3 access asked for, r4 major, r5 minor.
void load_context(std::vector<bpf_insn>& out) {
    constexpr uint8_t load = BPF_LDX | BPF_MEM | BPF_W;
    out.push_back(insn(load, 2, 1, offsetof(bpf_cgroup_dev_ctx, access_type), 0));
    out.push_back(insn(BPF_ALU64 | BPF_MOV | BPF_X, 3, 2, 0, 0));
    out.push_back(insn(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff));
    out.push_back(insn(BPF_ALU64 | BPF_RSH | BPF_K, 3, 0, 0, 16));
    out.push_back(insn(load, 4, 1, offsetof(bpf_cgroup_dev_ctx, major), 0));
    out.push_back(insn(load, 5, 1, offsetof(bpf_cgroup_dev_ctx, minor), 0));
}

// Tests that skip to the next rule, then the answer. Returns whether the rule fits everything, so that
// nothing after it can be reached (the verifier refuses dead code).
Result<bool> add_rule(std::vector<bpf_insn>& out, const DeviceAccess& rule) {
    TRY(check_rule(rule));
    int32_t bits = TRY(access_bits(rule));
    std::vector<size_t> skips;
    auto skip_unless = [&](uint8_t op, uint8_t reg, int64_t value) {
        skips.push_back(out.size());
        out.push_back(insn(BPF_JMP | op | BPF_K, reg, 0, 0, static_cast<int32_t>(value)));
    };
    if (rule.type != 'a')
        skip_unless(BPF_JNE, 2, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    if (bits != all_access) {
        out.push_back(insn(BPF_ALU64 | BPF_MOV | BPF_X, 0, 3, 0, 0));
        out.push_back(insn(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, rule.allow ? ~bits & all_access : bits));
        skip_unless(rule.allow ? BPF_JNE : BPF_JEQ, 0, 0);
    }
    if (rule.major >= 0) skip_unless(BPF_JNE, 4, rule.major);
    if (rule.minor >= 0) skip_unless(BPF_JNE, 5, rule.minor);
    out.push_back(insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, rule.allow ? 1 : 0));
    out.push_back(insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    for (size_t at : skips) out[at].off = static_cast<int16_t>(out.size() - at - 1);
    return skips.empty();
}

Result<Fd> load_program(std::span<const launch::DeviceAccess> rules) {
    std::vector<bpf_insn> code = TRY(device_program(rules));
    bpf_attr attr;
    std::memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attr.insns = reinterpret_cast<uint64_t>(code.data());
    attr.insn_cnt = static_cast<uint32_t>(code.size());
    attr.license = reinterpret_cast<uint64_t>("LGPL-2.1-or-later");
    std::memcpy(attr.prog_name, "croft_devices", sizeof "croft_devices");
    for (int tries = 0; tries < 5; ++tries) {  // the verifier gives up with EAGAIN when a signal is pending
        Fd program(static_cast<int>(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr)));
        if (program) return program;
        if (errno != EAGAIN) break;
    }
    if (errno == EINVAL || errno == ENOSYS)
        return error(Errc::unsupported, "this kernel has no device policy for cgroups (CONFIG_CGROUP_BPF)");
    return os_error(errno, "loading the device policy");
}

}  // namespace

Result<std::vector<bpf_insn>> device_program(std::span<const launch::DeviceAccess> rules) {
    std::vector<bpf_insn> out;
    load_context(out);
    for (size_t i = rules.size(); i-- > 0;)
        if (TRY(add_rule(out, rules[i]))) return out;
    out.push_back(insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0));
    out.push_back(insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    return out;
}

// "c1:3rwm,!b8:*w": no '.', which a BPF file system does not take, and no '/'.
std::string device_policy_text(std::span<const launch::DeviceAccess> rules) {
    std::string out = "v1";  // of the code device_program() makes: kept programs of another are not found
    for (const DeviceAccess& rule : rules) {
        auto number = [](int64_t n) { return n < 0 ? std::string("*") : cat(n); };
        out +=
            cat(rule.allow ? "," : ",!", rule.type, number(rule.major), ':', number(rule.minor), rule.access);
    }
    return out;
}

Result<> attach_device_policy(int cgroup_fd, std::span<const launch::DeviceAccess> rules) {
    std::string text = device_policy_text(rules);
    Fd program = find_kept_program(text);
    if (!program) {
        program = TRY(load_program(rules));
        keep_program(text, program);
    }
    bpf_attr attr;
    std::memset(&attr, 0, sizeof attr);
    attr.target_fd = static_cast<uint32_t>(cgroup_fd);
    attr.attach_bpf_fd = static_cast<uint32_t>(program.get());
    attr.attach_type = BPF_CGROUP_DEVICE;
    attr.attach_flags = BPF_F_ALLOW_MULTI;
    if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof attr) != 0)
        return os_error(errno, "attaching the device policy to the machine's cgroup");
    return {};
}

}  // namespace croft::run
