#include "seccomp/policy.h"

namespace croft::seccomp {

namespace {

bool holds(const Condition& condition, uint64_t argument) {
    uint64_t keep = condition.width == Width::low ? 0xffffffff : ~uint64_t{0};
    uint64_t a = argument & keep, b = condition.value & keep;
    switch (condition.op) {
        case Op::ne:
            return a != b;
        case Op::lt:
            return a < b;
        case Op::le:
            return a <= b;
        case Op::eq:
            return a == b;
        case Op::ge:
            return a >= b;
        case Op::gt:
            return a > b;
        case Op::masked_eq:
            return (a & condition.mask) == b;
    }
    return false;
}

uint32_t decide(const Verdict& verdict, const uint64_t (&args)[6]) {
    for (const Clause& clause : verdict.clauses) {
        bool all = true;
        for (const Condition& condition : clause.conditions)
            all = all && holds(condition, args[condition.index]);
        if (all) return clause.action;
    }
    return verdict.otherwise;
}

}  // namespace

uint32_t evaluate(const Policy& policy, uint32_t audit_arch, uint32_t number, const uint64_t (&args)[6]) {
    for (const ArchTable& arch : policy.arches) {
        if (arch.audit_arch != audit_arch) continue;
        auto call = arch.calls.find(number);
        if (call != arch.calls.end()) return decide(call->second, args);
        return (--arch.defaults.upper_bound(number))->second;
    }
    return policy.other_arch;
}

}  // namespace croft::seccomp
