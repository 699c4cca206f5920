// Architectures and the numbers of their system calls, from libseccomp's tables and a supplement for newer
// kernels.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "seccomp/policy.h"

namespace croft::seccomp {

// x32 programs run under x86-64's audit architecture, with this bit in every number.
inline constexpr uint32_t x32_bit = 0x40000000;

// How a call can be made: directly by its number, and on some 32-bit and s390 machines as a subcall of
// socketcall(2) or ipc(2), whose number and first argument then say which; the real arguments are in memory,
// out of a filter's sight.
struct CallNumbers {
    bool direct = false;
    uint32_t number = 0;
    bool multiplexed = false;
    uint32_t multiplexer = 0, subcall = 0;
};

class Arch {
  public:
    // `token` is libseccomp's SCMP_ARCH_*.
    explicit Arch(uint32_t token);

    uint32_t token() const { return token_; }
    // Arguments of 32-bit architectures (and of x32, which passes 32-bit values) have no meaning above
    // bit 31.
    Width width() const;
    // The first number and the first one behind all numbers of this architecture's stretch.
    uint32_t first() const;
    CallNumbers find(std::string_view name) const;

  private:
    uint32_t token_;
    std::map<std::string, uint32_t, std::less<>> numbers_;
};

// The machine's own and those it runs in compatibility (x86 and x32 on x86-64, arm on aarch64).
std::vector<uint32_t> native_and_compat();
// What seccomp_data.arch holds for a token: x32 is seen as x86-64.
uint32_t audit_arch(uint32_t token);
// libseccomp's token for "SCMP_ARCH_X86_64"; 0 when it does not know it or its byte order is not this
// machine's.
uint32_t arch_token(std::string_view oci_name);
uint32_t native_token();
// Whether any architecture has a call of this name.
bool call_exists(std::string_view name);

}  // namespace croft::seccomp
