#include "run/seccomp_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "launch/seccomp_file.h"
#include "run/seccomp_helper.h"

namespace croft::run {

using launch::SeccompFileHeader;

// Access to a SeccompProgram's bytes for the functions here.
struct SeccompFile {
    static SeccompProgram make(std::string bytes) {
        SeccompProgram out;
        out.bytes_ = std::move(bytes);
        return out;
    }
};

namespace {

#if defined(__x86_64__) && !defined(__ILP32__)
constexpr uint32_t this_arch = AUDIT_ARCH_X86_64;
#elif defined(__i386__)
constexpr uint32_t this_arch = AUDIT_ARCH_I386;
#elif defined(__aarch64__)
constexpr uint32_t this_arch = AUDIT_ARCH_AARCH64;
#elif defined(__arm__)
constexpr uint32_t this_arch = AUDIT_ARCH_ARM;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr uint32_t this_arch = AUDIT_ARCH_RISCV64;
#elif defined(__powerpc64__) && __BYTE_ORDER == __LITTLE_ENDIAN
constexpr uint32_t this_arch = AUDIT_ARCH_PPC64LE;
#elif defined(__s390x__)
constexpr uint32_t this_arch = AUDIT_ARCH_S390X;
#else
#error "name this machine's AUDIT_ARCH_* here"
#endif

// A profile may be large, but a filter has at most 4096 instructions of 8 bytes.
constexpr size_t largest_file = 2 << 20;

SeccompFileHeader header_of(std::string_view bytes) {
    SeccompFileHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    return header;
}

// Whether these bytes are the complete answer to this request, as croft-seccomp writes it.
bool answers(std::string_view bytes, std::string_view request) {
    if (bytes.size() < sizeof(SeccompFileHeader)) return false;
    SeccompFileHeader header = header_of(bytes);
    return std::memcmp(header.magic, launch::seccomp_file_magic, sizeof header.magic) == 0 &&
           header.version == launch::seccomp_file_version && header.audit_arch == this_arch &&
           header.request_length == request.size() && header.instructions > 0 &&
           header.instructions <= BPF_MAXINSNS &&
           bytes.size() == launch::seccomp_file_size(request.size(), header.instructions) &&
           bytes.substr(sizeof header, request.size()) == request;
}

// A filter is as trusted as the program that loads it: only we ourselves or root may have been able to write
// it.
bool is_ours(const struct stat& st, mode_t type) {
    return (st.st_mode & S_IFMT) == type && (st.st_uid == 0 || st.st_uid == geteuid()) &&
           (st.st_mode & 022) == 0;
}

Fd open_cache_dir(const std::string& path) {
    if (path.empty()) return Fd();
    Fd dir(::open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat st;
    if (!dir && errno == ENOENT && make_dirs_at(AT_FDCWD, path, 0755))
        dir = Fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!dir) {
        debug(cat("no filters are kept: ", path, ": ", errno_text(errno)));
    } else if (fstat(dir.get(), &st) != 0 || !is_ours(st, S_IFDIR)) {
        debug(cat("no filters are kept: ", path, " belongs to somebody else, or others may write it"));
        dir.reset();
    }
    return dir;
}

struct Identity {
    uint64_t inode = 0, size = 0, mtime_ns = 0;
};

Result<Identity> identity_of(const std::string& helper) {
    struct stat st;
    if (stat(helper.c_str(), &st) != 0)
        return os_error(errno, cat("looking for the filter compiler ", helper));
    return Identity{st.st_ino, static_cast<uint64_t>(st.st_size),
                    static_cast<uint64_t>(st.st_mtim.tv_sec) * 1'000'000'000 + st.st_mtim.tv_nsec};
}

bool made_by(std::string_view bytes, const Identity& helper) {
    SeccompFileHeader header = header_of(bytes);
    return header.helper_inode == helper.inode && header.helper_size == helper.size &&
           header.helper_mtime_ns == helper.mtime_ns;
}

// One open, one fstat, one read. Anything odd is no error: the filter is then simply made.
std::string read_kept(const Fd& dir, const std::string& name, std::string_view request,
                      const Identity& helper) {
    Fd file(openat(dir.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file) return {};
    struct stat st;
    if (fstat(file.get(), &st) != 0 || !is_ours(st, S_IFREG) ||
        static_cast<size_t>(st.st_size) > largest_file) {
        debug(cat("kept filter ", name, " ignored: it belongs to somebody else, or others may write it"));
        return {};
    }
    std::string bytes(static_cast<size_t>(st.st_size), '\0');
    ssize_t n = read(file.get(), bytes.data(), bytes.size());
    if (n != st.st_size || !answers(bytes, request) || !made_by(bytes, helper)) return {};
    return bytes;
}

// A file that appears at once under its name, so that starts at the same time see all of it or none.
void keep(const Fd& dir, const std::string& name, std::string_view bytes) {
    if (!dir) return;
    Result<> kept = replace_file_at(dir.get(), name.c_str(), bytes, 0644);
    if (!kept) debug(cat("filter ", name, " is not kept: ", kept.error().text));
}

}  // namespace

std::span<const sock_filter> SeccompProgram::filter() const {
    if (bytes_.empty()) return {};
    // The array starts at a multiple of 8 in bytes from the heap, which are aligned for any type.
    uint32_t count = header_of(bytes_).instructions;
    const char* code = bytes_.data() + bytes_.size() - count * sizeof(sock_filter);
    return {reinterpret_cast<const sock_filter*>(code), count};
}

uint32_t SeccompProgram::flags() const {
    return bytes_.empty() ? 0 : header_of(bytes_).filter_flags;
}

sock_fprog SeccompProgram::fprog() const {
    std::span<const sock_filter> code = filter();
    return {static_cast<unsigned short>(code.size()), const_cast<sock_filter*>(code.data())};
}

// Eight bytes at a time: a profile's request is some kilobytes, and this is on every start's path. The name
// only finds the file; what is in it is compared in full.
std::string seccomp_file_name(std::string_view request) {
    uint64_t hash = 0x9e3779b97f4a7c15 ^ request.size();
    for (size_t i = 0; i < request.size(); i += 8) {
        uint64_t word = 0;
        std::memcpy(&word, request.data() + i, std::min<size_t>(8, request.size() - i));
        hash = (hash ^ word) * 0xff51afd7ed558ccd;
        hash ^= hash >> 32;
    }
    char digits[17];
    for (int i = 15; i >= 0; --i, hash >>= 4) digits[i] = "0123456789abcdef"[hash & 15];
    return {digits, 16};
}

Result<SeccompProgram> load_seccomp(std::string_view request, const std::string& cache_dir,
                                    const std::string& helper) {
    Identity identity = TRY(identity_of(helper));
    Fd dir = open_cache_dir(cache_dir);
    std::string name = seccomp_file_name(request);
    if (dir)
        if (std::string kept = read_kept(dir, name, request, identity); !kept.empty())
            return SeccompFile::make(std::move(kept));
    std::string made = TRY(run_seccomp_helper(helper, request));
    if (!answers(made, request))
        return error(Errc::failed, cat(helper, " gave no filter of this version of croft: reinstall croft"));
    SeccompFileHeader header = header_of(made);
    header.helper_inode = identity.inode, header.helper_size = identity.size;
    header.helper_mtime_ns = identity.mtime_ns;
    std::memcpy(made.data(), &header, sizeof header);
    keep(dir, name, made);
    return SeccompFile::make(std::move(made));
}

}  // namespace croft::run
