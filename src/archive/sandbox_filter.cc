#include "archive/sandbox_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <span>
#include <vector>

#include "archive/unpack_protocol.h"

namespace croft::archive {

namespace {

// Files below descriptors, memory, and threads. No path is walked but from a descriptor of the tree (or "/",
// which is the tree); no socket, no process, no mount, no device control.
constexpr int allowed[] = {
    SYS_read,
    SYS_pread64,
    SYS_readv,
    SYS_write,
    SYS_pwrite64,
    SYS_writev,
    SYS_close,
    SYS_lseek,
    SYS_openat,
    SYS_openat2,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_getdents64,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_fstatfs,
    SYS_mkdirat,
    SYS_mknodat,
    SYS_symlinkat,
    SYS_linkat,
    SYS_unlinkat,
    SYS_renameat2,
    SYS_fchmodat,
    SYS_fgetxattr,
    SYS_syncfs,
    SYS_fsync,
    SYS_fdatasync,
    SYS_umask,
    SYS_munmap,
    SYS_mremap,
    SYS_brk,
    SYS_madvise,
    SYS_futex,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigaction,
    SYS_gettid,
    SYS_getpid,
    SYS_geteuid,
    SYS_getegid,
    SYS_getuid,
    SYS_getgid,
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
};
// The owner, mode, times and attributes of a file can be changed whatever it was opened for: not of the archive, which lies
// outside of the tree. (So no descriptor gets another number here.)
constexpr int archive[] = {archive_fd};
constexpr int changing_calls[] = {SYS_fchown, SYS_fchownat, SYS_fchmod, SYS_utimensat, SYS_fsetxattr};
// Others of fcntl's commands reach other processes: F_SETOWN and F_SETSIG send them signals. (fdopendir() says F_SETFD.)
constexpr int descriptor_commands[] = {F_GETFD, F_SETFD, F_GETFL};
// The third argument of these is what memory shall be used for: never to execute.
constexpr int memory_calls[] = {SYS_mmap, SYS_mprotect};

#if defined(__x86_64__)
constexpr uint32_t machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t machine = AUDIT_ARCH_AARCH64;
#else
#error "croft knows x86-64 and aarch64; add this machine's AUDIT_ARCH here"
#endif

using Program = std::vector<sock_filter>;
constexpr uint32_t refuse = SECCOMP_RET_ERRNO | ENOSYS;

void load(Program& program, size_t offset) {
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)));
}
void answer(Program& program, uint32_t action) {
    program.push_back(BPF_STMT(BPF_RET | BPF_K, action));
}

// `call` is in the accumulator: allowed when the lower half of an argument has some (all) of the bits.
void allow_by_bits(Program& program, int call, int argument, uint32_t bits, bool set) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 4));
    load(program, offsetof(seccomp_data, args) + 8 * static_cast<size_t>(argument));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, static_cast<uint8_t>(set ? 0 : 1),
                               static_cast<uint8_t>(set ? 1 : 0)));
    answer(program, SECCOMP_RET_ALLOW);
    answer(program, refuse);
}

// `call` is in the accumulator: one answer when the lower half of an argument is one of the values, another when not.
void answer_by_value(Program& program, int call, int argument, std::span<const int> values, uint32_t one_of, uint32_t other) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, static_cast<uint8_t>(2 * values.size() + 2)));
    load(program, offsetof(seccomp_data, args) + 8 * static_cast<size_t>(argument));
    for (int value : values) {
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(value), 0, 1));
        answer(program, one_of);
    }
    answer(program, other);
}

Program make_program() {
    Program program;
    load(program, offsetof(seccomp_data, arch));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, machine, 1, 0));
    answer(program, SECCOMP_RET_KILL_PROCESS);
    load(program, offsetof(seccomp_data, nr));
    for (int call : allowed) {
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1));
        answer(program, SECCOMP_RET_ALLOW);
    }
    for (int call : changing_calls) answer_by_value(program, call, 0, archive, refuse, SECCOMP_RET_ALLOW);
    answer_by_value(program, SYS_fcntl, 1, descriptor_commands, SECCOMP_RET_ALLOW, refuse);
    for (int call : memory_calls) allow_by_bits(program, call, 2, PROT_EXEC, false);
    // Threads and nothing else. clone3 has its flags in memory, where no filter sees them; the C library then
    // uses clone.
    allow_by_bits(program, SYS_clone, 0, CLONE_THREAD, true);
    answer(program, refuse);
    return program;
}

}  // namespace

Result<> install_sandbox_filter() {
    Program instructions = make_program();
    sock_fprog program = {static_cast<unsigned short>(instructions.size()), instructions.data()};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return os_error(errno, "installing the system call filter");
    return {};
}

}  // namespace croft::archive
