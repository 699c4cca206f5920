#include "seccomp/codegen.h"

#include <gtest/gtest.h>
#include <linux/audit.h>

#include "machine.h"

namespace croft::seccomp {
namespace {

constexpr uint32_t arches[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_AARCH64};

uint32_t some_action(Dice& dice) {
    constexpr uint32_t actions[] = {SECCOMP_RET_ALLOW,        SECCOMP_RET_ERRNO | 1,   SECCOMP_RET_ERRNO | 38,
                                    SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
                                    SECCOMP_RET_USER_NOTIF,   SECCOMP_RET_TRACE | 77,  SECCOMP_RET_LOG};
    return actions[dice.below(std::size(actions))];
}

// Values around the edges that comparisons in halves can get wrong.
uint64_t some_value(Dice& dice) {
    constexpr uint64_t values[] = {
        0,           1,           2,           0x7fffffff,  0x80000000,         0xffffffff,
        0x100000000, 0x100000001, 0x1ffffffff, 0x200000000, 0xffffffff00000000, 0xffffffffffffffff};
    return dice.below(4) ? values[dice.below(std::size(values))] : dice.next();
}

Condition some_condition(Dice& dice) {
    Condition c{.index = unsigned(dice.below(6)), .op = Op(dice.below(7)), .value = some_value(dice)};
    if (c.op == Op::masked_eq) {
        c.mask = some_value(dice);
        if (dice.below(4)) c.value &= c.mask;
    }
    if (dice.below(3) == 0) c.width = Width::low;
    return c;
}

Verdict some_verdict(Dice& dice) {
    Verdict out{{}, some_action(dice)};
    for (uint64_t n = dice.below(4) ? 0 : dice.below(4); n > 0; --n) {
        Clause clause{{}, some_action(dice)};
        for (uint64_t m = dice.below(4); m > 0; --m) clause.conditions.push_back(some_condition(dice));
        out.clauses.push_back(clause);
    }
    return out;
}

Policy some_policy(Dice& dice, uint64_t calls) {
    Policy policy{{}, some_action(dice), 0};
    for (uint32_t arch : std::span(arches).first(3)) {
        ArchTable table{arch, {{0, some_action(dice)}}, {}};
        if (dice.below(2)) table.defaults[0x40000000] = some_action(dice);
        if (dice.below(2)) table.defaults[0xffffffff] = some_action(dice);
        for (uint64_t i = 0; i < calls; ++i) table.calls[uint32_t(dice.below(500))] = some_verdict(dice);
        if (dice.below(2)) table.calls[0xffffffff] = some_verdict(dice);
        policy.arches.push_back(table);
    }
    return policy;
}

void expect_same(const Policy& policy, std::span<const sock_filter> code, Dice& dice, uint64_t seed) {
    for (uint32_t arch : arches) {  // the last one has no table
        for (uint32_t i = 0; i < 520; ++i) {
            uint32_t number = i < 505 ? i : i < 510 ? 0x40000000 + i : i < 515 ? 0x3fffffff : 0xffffffff;
            uint64_t args[6];
            for (uint64_t& arg : args) arg = some_value(dice);
            auto got = run_filter(code, call_of(arch, number, args));
            ASSERT_TRUE(got) << "seed " << seed;
            ASSERT_EQ(*got, evaluate(policy, arch, number, args)) << "seed " << seed << " nr " << number;
        }
    }
}

TEST(Codegen, DoesWhatThePolicySays) {
    for (uint64_t seed = 1; seed <= 150; ++seed) {
        Dice dice(seed);
        Policy policy = some_policy(dice, seed % 60);
        auto code = generate(policy);
        ASSERT_TRUE(code) << code.error().text;
        expect_same(policy, *code, dice, seed);
    }
}

// Enough leaves that neither side of the tree is within a conditional jump's 255 instructions.
TEST(Codegen, JumpsAsFarAsNeeded) {
    int large = 0;
    for (uint64_t seed = 1000; seed < 1040; ++seed) {
        Dice dice(seed);
        Policy policy = some_policy(dice, 200 + seed % 100);
        auto code = generate(policy);
        if (!code) continue;
        large += code->size() > 2000;
        expect_same(policy, *code, dice, seed);
    }
    EXPECT_GT(large, 10);
}

TEST(Codegen, RefusesWhatTheKernelCannotTake) {
    Policy policy{{{AUDIT_ARCH_X86_64, {{0, SECCOMP_RET_ALLOW}}, {}}}, SECCOMP_RET_KILL_PROCESS, 0};
    for (uint32_t number = 0; number < 400; ++number) {
        Clause clause{{}, SECCOMP_RET_ERRNO | number};
        for (unsigned i = 0; i < 6; ++i) clause.conditions.push_back({.index = i, .value = number});
        policy.arches[0].calls[number] = {{clause}, SECCOMP_RET_ALLOW};
    }
    auto code = generate(policy);
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, Errc::invalid);
    EXPECT_NE(code.error().text.find("the kernel takes 4096"), std::string::npos) << code.error().text;
}

TEST(Codegen, MergesNumbersWithOneVerdict) {
    Policy policy{{{AUDIT_ARCH_X86_64, {{0, SECCOMP_RET_ERRNO | 1}}, {}}}, SECCOMP_RET_KILL_PROCESS, 0};
    for (uint32_t number = 10; number < 300; ++number)
        policy.arches[0].calls[number] = {{}, SECCOMP_RET_ALLOW};
    auto code = generate(policy);
    ASSERT_TRUE(code);
    EXPECT_LE(code->size(), 8u);  // load and test of the architecture, load, two splits, three returns
}

}  // namespace
}  // namespace croft::seccomp
