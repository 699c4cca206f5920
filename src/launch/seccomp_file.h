// The kept form of a compiled system call filter: header, request text, sock_filter array. Written by
// croft-seccomp (src/seccomp) and read on the hot path by run/seccomp_cache.cc; both are built together, so
// there is one version.
#pragma once

#include <cstddef>
#include <cstdint>

namespace croft::launch {

inline constexpr char seccomp_file_magic[8] = {'c', 'r', 'o', 'f', 't', 'b', 'p', 'f'};
inline constexpr uint32_t seccomp_file_version = 1;

// The first line of every request; the number changes when the meaning of the lines below it does.
inline constexpr char seccomp_request_first_line[] = "croft-seccomp 1\n";

struct SeccompFileHeader {
    char magic[8];
    uint32_t version;
    uint32_t audit_arch;      // AUDIT_ARCH_* of the machine that runs it
    uint32_t libseccomp;      // major << 16 | minor << 8 | micro: whose tables gave the names their numbers
    uint32_t filter_flags;    // SECCOMP_FILTER_FLAG_* for seccomp(2)
    uint32_t request_length;  // bytes of request text behind the header, padded with zeros to a multiple of 8
    uint32_t instructions;    // struct sock_filter, 8 bytes each, behind the request
    // Which compiler made it, filled in by run/ when the filter is kept. The verdict list is inside that
    // program, so a filter made by any other croft-seccomp than the installed one is made anew.
    uint64_t helper_inode, helper_size, helper_mtime_ns;
};
static_assert(sizeof(SeccompFileHeader) == 56);

inline constexpr size_t seccomp_padded(size_t request_length) {
    return (request_length + 7) & ~size_t{7};
}
inline constexpr size_t seccomp_file_size(size_t request_length, size_t instructions) {
    return sizeof(SeccompFileHeader) + seccomp_padded(request_length) + instructions * 8;
}

}  // namespace croft::launch
