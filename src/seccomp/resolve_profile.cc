#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>

#include "seccomp/arch.h"
#include "seccomp/resolve.h"

namespace croft::seccomp {

namespace {

// Actions in the kernel's order, from the strictest on: KILL_PROCESS is negative as a signed number.
bool stricter(uint32_t one, uint32_t other) {
    return static_cast<int32_t>(one & SECCOMP_RET_ACTION_FULL) <
           static_cast<int32_t>(other & SECCOMP_RET_ACTION_FULL);
}

// A default that lets calls through (a tracer answers for itself) keeps doing so for calls yet to be
// invented.
bool lets_through(uint32_t action) {
    action &= SECCOMP_RET_ACTION_FULL;
    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG || action == SECCOMP_RET_TRACE;
}

class ArchBuilder {
  public:
    ArchBuilder(ArchTable& table, uint32_t token, uint32_t default_action)
        : table_(table), arch_(token), default_(default_action) {}

    void add(const ProfileRule& rule) {
        for (const std::string& name : rule.names) {
            CallNumbers call = arch_.find(name);
            if (call.direct) note_highest(call.number);
            if (rule.action == default_) continue;
            Clause clause{rule.conditions, rule.action};
            for (Condition& condition : clause.conditions) narrow(condition);
            if (call.direct) add_clause(call.number, clause);
            if (call.multiplexed) add_multiplexed(call, rule);
        }
    }

    void finish() {
        uint32_t base = arch_.first();
        table_.defaults[base] = default_;
        // Without this, a C library newer than the profile would take EPERM for an answer where ENOSYS makes
        // it use an older call.
        if (any_ && !lets_through(default_)) table_.defaults[highest_ + 1] = SECCOMP_RET_ERRNO | ENOSYS;
    }

  private:
    void note_highest(uint32_t number) {
        highest_ = any_ ? std::max(highest_, number) : number;
        any_ = true;
    }

    void narrow(Condition& condition) const {
        condition.width = arch_.width();
        if (condition.op == Op::masked_eq) condition.value &= condition.mask;
    }

    // libseccomp's rule: an unconditional rule replaces conditional ones and is never changed again.
    void add_clause(uint32_t number, const Clause& clause) {
        auto [row, fresh] = table_.calls.try_emplace(number, Verdict{{}, default_});
        Verdict& verdict = row->second;
        if (!fresh && verdict.clauses.empty()) return;
        if (clause.conditions.empty())
            verdict = {{}, clause.action};
        else
            verdict.clauses.push_back(clause);
    }

    // Through a multiplexer the rule's own conditions cannot be checked. Whoever falls under them might be
    // there, so the stricter of the rule and the default stands.
    void add_multiplexed(const CallNumbers& call, const ProfileRule& rule) {
        if (!rule.conditions.empty() && !stricter(rule.action, default_)) return;
        Condition subcall{.index = 0, .op = Op::eq, .value = call.subcall, .width = Width::low};
        add_clause(call.multiplexer, {{subcall}, rule.action});
    }

    ArchTable& table_;
    Arch arch_;
    uint32_t default_;
    uint32_t highest_ = 0;
    bool any_ = false;
};

// Without x32 in the profile its numbers are as foreign as another architecture. The very last number is none
// of them: a tracer writes it to skip a call.
void fence_x32(Policy& policy, uint32_t default_action) {
    for (ArchTable& table : policy.arches) {
        if (table.audit_arch != AUDIT_ARCH_X86_64) continue;
        table.defaults.try_emplace(x32_bit, policy.other_arch);
        table.defaults[UINT32_MAX] = default_action;
    }
}

std::vector<uint32_t> tokens(const ProfileRequest& request) {
    std::vector<uint32_t> out{native_token()};
    for (const std::string& name : request.arches) {
        uint32_t token = arch_token(name);
        if (token && std::ranges::find(out, token) == out.end()) out.push_back(token);
    }
    return out;
}

}  // namespace

Policy resolve(const ProfileRequest& request) {
    Policy policy{{}, SECCOMP_RET_KILL_THREAD, request.filter_flags};
    for (uint32_t token : tokens(request)) {
        uint32_t arch = audit_arch(token);
        auto table = std::ranges::find(policy.arches, arch, &ArchTable::audit_arch);
        if (table == policy.arches.end()) {
            policy.arches.push_back({arch, {{0, request.default_action}}, {}});
            table = policy.arches.end() - 1;
        }
        ArchBuilder builder(*table, token, request.default_action);
        for (const ProfileRule& rule : request.rules) builder.add(rule);
        builder.finish();
    }
    fence_x32(policy, request.default_action);
    return policy;
}

}  // namespace croft::seccomp
