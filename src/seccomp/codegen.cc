#include "seccomp/codegen.h"

#include <endian.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cstddef>
#include <map>

#include "base/text.h"

namespace croft::seccomp {

namespace {

constexpr uint16_t load_word = BPF_LD | BPF_W | BPF_ABS;

uint32_t argument_offset(unsigned index, bool high) {
    uint32_t base = offsetof(seccomp_data, args) + 8 * index;
    bool second = __BYTE_ORDER == __LITTLE_ENDIAN ? high : !high;
    return base + (second ? 4 : 0);
}

// Writes a program from its end to its beginning. BPF jumps only go forward, so everything a jump may lead to
// is already there with a known distance; a conditional jump reaches 255 instructions, and what is farther
// gets a copy (a return) or a long jump right behind the jump.
class Backward {
  public:
    using Place = size_t;  // counted from the end of the program

    Place ret(uint32_t action) {
        auto known = returns_.find(action);
        if (known != returns_.end() && reaches(known->second)) return known->second;
        return returns_[action] = push(BPF_RET | BPF_K, action);
    }

    Place load(uint32_t offset, Place next) {
        fall_through(next);
        return push(load_word, offset);
    }

    Place mask(uint32_t value, Place next) {
        fall_through(next);
        return push(BPF_ALU | BPF_AND | BPF_K, value);
    }

    Place branch(uint16_t op, uint32_t value, Place yes, Place no) {
        yes = near(yes);
        no = near(no);
        auto distance = [&](Place to) { return static_cast<uint8_t>(code_.size() - to - 1); };
        code_.push_back({static_cast<uint16_t>(BPF_JMP | op | BPF_K), distance(yes), distance(no), value});
        return code_.size() - 1;
    }

    std::vector<sock_filter> finish() && {
        std::ranges::reverse(code_);
        return std::move(code_);
    }

  private:
    Place push(uint16_t code, uint32_t k) {
        code_.push_back({code, 0, 0, k});
        return code_.size() - 1;
    }

    // Room is left for the one instruction that making the other branch near may add.
    bool reaches(Place to) const { return code_.size() - to - 1 < 255; }

    Place near(Place to) {
        if (reaches(to)) return to;
        if (code_[to].code == (BPF_RET | BPF_K)) return ret(code_[to].k);
        return push(BPF_JMP | BPF_JA, static_cast<uint32_t>(code_.size() - to - 1));
    }

    void fall_through(Place next) {
        if (next + 1 != code_.size()) push(BPF_JMP | BPF_JA, static_cast<uint32_t>(code_.size() - next - 1));
    }

    std::vector<sock_filter> code_;
    std::map<uint32_t, Place> returns_;  // the latest copy of each
};

using Place = Backward::Place;

// One 32-bit half of an argument against a constant, equal or not.
Place half_equal(Backward& out, const Condition& c, bool high, Place yes, Place no) {
    uint32_t value = static_cast<uint32_t>(high ? c.value >> 32 : c.value);
    uint32_t mask = static_cast<uint32_t>(c.op != Op::masked_eq ? ~uint64_t{0}
                                          : high                ? c.mask >> 32
                                                                : c.mask);
    if (mask == 0 && value == 0) return yes;
    Place test = out.branch(BPF_JEQ, value, yes, no);
    if (mask != 0xffffffff) test = out.mask(mask, test);
    return out.load(argument_offset(c.index, high), test);
}

Place equal(Backward& out, const Condition& c, Place yes, Place no) {
    Place low = half_equal(out, c, false, yes, no);
    return c.width == Width::low ? low : half_equal(out, c, true, low, no);
}

// argument >= value (or > value): the high halves decide unless they are equal.
Place at_least(Backward& out, const Condition& c, uint16_t op, Place yes, Place no) {
    Place low = out.branch(op, static_cast<uint32_t>(c.value), yes, no);
    low = out.load(argument_offset(c.index, false), low);
    if (c.width == Width::low) return low;
    uint32_t high = static_cast<uint32_t>(c.value >> 32);
    Place test = out.branch(BPF_JEQ, high, low, no);
    test = out.branch(BPF_JGT, high, yes, test);
    return out.load(argument_offset(c.index, true), test);
}

Place check(Backward& out, const Condition& c, Place yes, Place no) {
    switch (c.op) {
        case Op::eq:
        case Op::masked_eq:
            return equal(out, c, yes, no);
        case Op::ne:
            return equal(out, c, no, yes);
        case Op::ge:
            return at_least(out, c, BPF_JGE, yes, no);
        case Op::gt:
            return at_least(out, c, BPF_JGT, yes, no);
        case Op::lt:
            return at_least(out, c, BPF_JGE, no, yes);
        case Op::le:
            return at_least(out, c, BPF_JGT, no, yes);
    }
    return no;
}

Place leaf(Backward& out, const Verdict& verdict) {
    Place next = out.ret(verdict.otherwise);
    for (auto clause = verdict.clauses.rbegin(); clause != verdict.clauses.rend(); ++clause) {
        Place yes = out.ret(clause->action);
        for (auto c = clause->conditions.rbegin(); c != clause->conditions.rend(); ++c)
            yes = check(out, *c, yes, next);
        next = yes;
    }
    return next;
}

struct Range {
    uint32_t start = 0;
    const Verdict* verdict = nullptr;
};

// The numbers of an architecture as ranges with one verdict each. `plain` owns the verdicts of the defaults.
std::vector<Range> ranges_of(const ArchTable& arch, std::map<uint32_t, Verdict>& plain) {
    std::map<uint32_t, const Verdict*> starts;
    auto default_at = [&](uint32_t number) {
        uint32_t action = (--arch.defaults.upper_bound(number))->second;
        return &plain.try_emplace(action, Verdict{{}, action}).first->second;
    };
    for (auto& [number, action] : arch.defaults) starts[number] = default_at(number);
    for (auto& [number, verdict] : arch.calls) {
        starts[number] = &verdict;
        if (number != UINT32_MAX && !arch.calls.contains(number + 1))
            starts[number + 1] = default_at(number + 1);
    }
    std::vector<Range> out;
    for (auto& [start, verdict] : starts)
        if (out.empty() || !(*out.back().verdict == *verdict)) out.push_back({start, verdict});
    return out;
}

Place tree(Backward& out, const std::vector<Range>& ranges, size_t from, size_t to) {
    if (to - from == 1) return leaf(out, *ranges[from].verdict);
    size_t middle = from + (to - from) / 2;
    Place right = tree(out, ranges, middle, to);
    Place left = tree(out, ranges, from, middle);
    return out.branch(BPF_JGE, ranges[middle].start, right, left);
}

}  // namespace

Result<std::vector<sock_filter>> generate(const Policy& policy) {
    Backward out;
    Place next = out.ret(policy.other_arch);
    for (auto arch = policy.arches.rbegin(); arch != policy.arches.rend(); ++arch) {
        std::map<uint32_t, Verdict> plain;
        std::vector<Range> ranges = ranges_of(*arch, plain);
        Place numbers = out.load(offsetof(seccomp_data, nr), tree(out, ranges, 0, ranges.size()));
        next = out.branch(BPF_JEQ, arch->audit_arch, numbers, next);
    }
    out.load(offsetof(seccomp_data, arch), next);
    std::vector<sock_filter> code = std::move(out).finish();
    if (code.size() > BPF_MAXINSNS)
        return error(Errc::invalid,
                     cat("the system call filter needs ", code.size(), " instructions, the kernel takes ",
                         BPF_MAXINSNS, ": name fewer argument conditions or architectures"));
    return code;
}

}  // namespace croft::seccomp
