// What a system call filter decides, as data: between a request (request.h) and instructions (codegen.h).
//
// Only croft-seccomp and tests use this folder. A policy is one table an audit architecture; a call's verdict
// may depend on its arguments, which are looked at clause by clause; the first that holds decides.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace croft::seccomp {

enum class Op { ne, lt, le, eq, ge, gt, masked_eq };
// Which part of a 64-bit argument is compared. The kernel reads an `int` argument from the low half only, so
// a check of the whole register could be dodged by setting a high bit.
enum class Width { full, low };

struct Condition {
    unsigned index = 0;
    Op op = Op::eq;
    uint64_t value = 0;
    uint64_t mask = ~uint64_t{0};  // Op::masked_eq: argument & mask == value
    Width width = Width::full;
    bool operator==(const Condition&) const = default;
};

struct Clause {  // all conditions hold
    std::vector<Condition> conditions;
    uint32_t action = 0;
    bool operator==(const Clause&) const = default;
};

struct Verdict {
    std::vector<Clause> clauses;
    uint32_t otherwise = 0;  // SECCOMP_RET_*, with its data
    bool operator==(const Verdict&) const = default;
};

// All numbers of one audit architecture. `defaults` gives each stretch of numbers its verdict from the key on
// (the first key is 0); `calls` are the exceptions. x32 is a stretch of x86-64: its numbers have bit 30 set.
struct ArchTable {
    uint32_t audit_arch = 0;
    std::map<uint32_t, uint32_t> defaults;
    std::map<uint32_t, Verdict> calls;
};

struct Policy {
    std::vector<ArchTable> arches;  // the native one first: it is asked first
    uint32_t other_arch = 0;        // action for an architecture without a table
    uint32_t filter_flags = 0;      // SECCOMP_FILTER_FLAG_*
};

// The policy's answer for one call, evaluated directly: the meaning that generated code must have.
uint32_t evaluate(const Policy& policy, uint32_t audit_arch, uint32_t number, const uint64_t (&args)[6]);

}  // namespace croft::seccomp
