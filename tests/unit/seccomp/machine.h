// The kernel's side of a filter, for tests: a machine that runs classic BPF over a seccomp_data as the kernel
// does, with the kernel's limits (only forward jumps, aligned loads inside the data, an end by return).
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace croft::seccomp {

// Nothing when the program does something the kernel would refuse to load.
inline std::optional<uint32_t> run_filter(std::span<const sock_filter> code, const seccomp_data& data,
                                          int* steps = nullptr) {
    uint32_t a = 0;
    size_t at = 0;
    for (int step = 1; at < code.size(); ++step) {
        const sock_filter& i = code[at++];
        if (steps) *steps = step;
        auto jump = [&](bool taken) { at += taken ? i.jt : i.jf; };
        switch (i.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                if (i.k % 4 || i.k + 4 > sizeof data) return std::nullopt;
                std::memcpy(&a, reinterpret_cast<const char*>(&data) + i.k, 4);
                break;
            case BPF_ALU | BPF_AND | BPF_K:
                a &= i.k;
                break;
            case BPF_JMP | BPF_JA:
                at += i.k;
                break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                jump(a == i.k);
                break;
            case BPF_JMP | BPF_JGE | BPF_K:
                jump(a >= i.k);
                break;
            case BPF_JMP | BPF_JGT | BPF_K:
                jump(a > i.k);
                break;
            case BPF_JMP | BPF_JSET | BPF_K:
                jump(a & i.k);
                break;
            case BPF_RET | BPF_K:
                return i.k;
            default:
                return std::nullopt;
        }
    }
    return std::nullopt;
}

inline seccomp_data call_of(uint32_t arch, uint32_t number, const uint64_t (&args)[6]) {
    seccomp_data data{};
    data.nr = static_cast<int>(number);
    data.arch = arch;
    for (int i = 0; i < 6; ++i) data.args[i] = args[i];
    return data;
}

// Numbers that repeat in every run: a failing case can be met again.
class Dice {
  public:
    explicit Dice(uint64_t seed) : state_(seed * 2654435769u + 1) {}
    uint64_t next() {
        state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
        return state_;
    }
    uint64_t below(uint64_t n) { return next() % n; }

  private:
    uint64_t state_;
};

}  // namespace croft::seccomp
