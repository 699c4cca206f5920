// The default list. Deny wins over everything, then come the checks on arguments, then allow, then the list's
// own refusals (EPERM), and what is left is ENOSYS.
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/socket.h>

#include "base/text.h"
#include "seccomp/arch.h"
#include "seccomp/lists.h"
#include "seccomp/resolve.h"

namespace croft::seccomp {

namespace {

constexpr uint32_t fails_with(int error) {
    return SECCOMP_RET_ERRNO | static_cast<uint32_t>(error);
}

Result<Names> expand(const std::vector<std::string>& words) {
    Names out;
    for (const std::string& word : words) {
        if (word.starts_with('@')) {
            Names members = group(word);
            if (members.empty())
                return error(Errc::invalid, cat(quoted(word), " is no group of system calls"));
            out.merge(members);
        } else if (call_exists(word) || allowed_calls().contains(word) || refused_calls().contains(word)) {
            out.insert(word);
        } else {
            return error(Errc::invalid,
                         cat(quoted(word), " is no system call that croft or its libseccomp knows"));
        }
    }
    return out;
}

Condition low_equal(unsigned index, uint32_t value) {
    return {.index = index, .op = Op::eq, .value = value, .width = Width::low};
}

// Sockets: an audit socket is told away, because audit is not virtualized and programs in a container that
// reach the host's audit system only see it refuse them; then the address families asked for.
Verdict socket_verdict(const DefaultRequest& request) {
    using Families = DefaultRequest::Families;
    constexpr uint32_t unsupported = fails_with(EAFNOSUPPORT);
    Verdict out{{}, request.families == Families::allow ? unsupported : SECCOMP_RET_ALLOW};
    out.clauses.push_back({{low_equal(0, AF_NETLINK), low_equal(2, NETLINK_AUDIT)}, unsupported});
    uint32_t listed = request.families == Families::allow ? SECCOMP_RET_ALLOW : unsupported;
    for (uint32_t family : request.family_numbers) out.clauses.push_back({{low_equal(0, family)}, listed});
    return out;
}

// O_SYNC has the bit of O_DSYNC in it, so one test finds both.
Verdict open_verdict(unsigned flags_argument) {
    Condition synchronous{flags_argument, Op::masked_eq, O_DSYNC, O_DSYNC, Width::low};
    return {{{{synchronous}, fails_with(EINVAL)}}, SECCOMP_RET_ALLOW};
}

// The verdict of a call that is allowed: most are plain, a few look at arguments or are bent by an option.
Verdict allowed_verdict(const DefaultRequest& request, std::string_view name, const Names& sync) {
    bool some_families = request.families != DefaultRequest::Families::all;
    if (name == "socket") return socket_verdict(request);
    // The family is in memory where a filter cannot look (socketcall), or in a ring it never sees (io_uring).
    if (some_families && name == "socketcall") return {{}, fails_with(EAFNOSUPPORT)};
    if (some_families && name == "io_uring_setup") return {{}, fails_with(ENOSYS)};
    if (request.suppress_sync) {
        if (sync.contains(name)) return {{}, fails_with(0)};  // success, and nothing done
        if (name == "open") return open_verdict(1);
        if (name == "openat" || name == "open_by_handle_at") return open_verdict(2);
        if (name == "openat2") return {{}, fails_with(ENOSYS)};  // its flags are in memory; callers fall back
    }
    return {{}, SECCOMP_RET_ALLOW};
}

void add(ArchTable& table, const Arch& arch, const Names& names, auto verdict_of) {
    for (const std::string& name : names) {
        CallNumbers call = arch.find(name);
        if (call.direct) table.calls.insert_or_assign(call.number, verdict_of(name));
    }
}

// socketcall(2) and ipc(2) reach calls by another door: a call that is denied by name must be denied there
// too.
void add_multiplexed(ArchTable& table, const Arch& arch, const Names& deny) {
    for (const std::string& name : deny) {
        CallNumbers call = arch.find(name);
        if (!call.multiplexed) continue;
        auto row = table.calls.find(call.multiplexer);
        if (row != table.calls.end())
            row->second.clauses.push_back({{low_equal(0, call.subcall)}, fails_with(EPERM)});
    }
}

ArchTable& table_of(Policy& policy, uint32_t arch) {
    for (ArchTable& table : policy.arches)
        if (table.audit_arch == arch) return table;
    return policy.arches.emplace_back(ArchTable{arch, {{0, fails_with(ENOSYS)}}, {}});
}

}  // namespace

Result<Policy> resolve(const DefaultRequest& request) {
    Names allow = TRY(expand(request.allow));
    const Names deny = TRY(expand(request.deny));
    allow.insert(allowed_calls().begin(), allowed_calls().end());
    add_calls_of_capabilities(request.capabilities, allow);
    Names sync = group("@sync");
    sync.insert("arm_sync_file_range");  // that machine's name of sync_file_range2
    Policy policy{{}, SECCOMP_RET_KILL_PROCESS, 0};
    for (uint32_t token : native_and_compat()) {
        Arch arch(token);
        ArchTable& table = table_of(policy, audit_arch(token));
        auto refuse = [](std::string_view) { return Verdict{{}, fails_with(EPERM)}; };
        add(table, arch, refused_calls(), refuse);
        add(table, arch, allow, [&](std::string_view n) { return allowed_verdict(request, n, sync); });
        add(table, arch, deny, refuse);
        add_multiplexed(table, arch, deny);
    }
    return policy;
}

}  // namespace croft::seccomp
