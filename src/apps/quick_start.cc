// The start of a static program on glibc without its survey of the processor: from the kernel's entry to main().
//
// glibc asks CPUID some fifty times before main(), to choose among ways of copying memory and to size them by the
// caches. In a virtual machine each of these instructions is a way out to the host: 4 to 13 µs, up to 0.7 ms in all,
// more than croft needs to enter a machine. Here the same steps are made in the same order without that survey; what
// is chosen then is glibc's plain variant for every x86-64.
//
// Left out too is what these programs have no use for, which would touch some thirty pages, and each page is a fault: what
// GLIBC_TUNABLES says, the preparations for dlopen() (search paths, the vDSO's symbols) and for threads, and at the
// end the destructors of what the kernel takes back anyway. Output is written, never buffered.
//
// The steps are glibc's own functions, and which ones there are is no promise of glibc's. So the build takes this
// file only for the versions that are named here, and only when its probe (below) has linked and run;
// any other C library starts its own way (src/apps/meson.build).
#include <elf.h>
#include <features.h>
#include <link.h>

#include <cstdint>
#include <cstdlib>

#if !defined(__x86_64__) || !defined(__GLIBC__) || __GLIBC__ != 2 || __GLIBC_MINOR__ != 36
#error "the start of this C library has not been looked at"
#endif

using Function = void (*)(int, char**, char**);

extern "C" {
// Of glibc, in the order in which they are called.
extern char** __environ;
extern void* __libc_stack_end;
extern uintptr_t* _dl_random;
extern int __libc_enable_secure;
void _dl_aux_init(ElfW(auxv_t)*);
void __tunables_init(char**);
void __libc_setup_tls();
void __libc_early_init(bool);
void __libc_init_first(int, char**, char**);
void __libc_check_standard_fds();
void __ctype_init();
void __init_misc(int, char**, char**);
extern int __libc_argc;
extern char** __libc_argv;
extern char __libc_single_threaded;
void _init();
void _exit(int) __attribute__((noreturn));
// Of the linker.
extern const ElfW(Rela) __rela_iplt_start[], __rela_iplt_end[];
extern Function __preinit_array_start[], __preinit_array_end[], __init_array_start[], __init_array_end[];

// What the survey would have found out, at glibc's own values for a processor that it does not know.
long __x86_data_cache_size = 32 << 10, __x86_data_cache_size_half = 16 << 10;
long __x86_shared_cache_size = 1 << 20, __x86_shared_cache_size_half = 512 << 10;
long __x86_shared_non_temporal_threshold = 768 << 10;
long __x86_rep_movsb_threshold = 2048, __x86_rep_stosb_threshold = 2048, __x86_rep_movsb_stop_threshold = 768 << 10;
int __x86_string_control = 0;
}

namespace {

// Memory functions are chosen by the program itself, before the first of them is called.
void choose_functions() {
    for (const ElfW(Rela)* r = __rela_iplt_start; r < __rela_iplt_end; ++r) {
        if (ELF64_R_TYPE(r->r_info) != R_X86_64_IRELATIVE) __builtin_trap();
        auto choose = reinterpret_cast<uintptr_t (*)()>(r->r_addend);
        *reinterpret_cast<uintptr_t*>(r->r_offset) = choose();
    }
}

// The kernel's sixteen random bytes: the stack's canary, its lowest byte zero so that no string reads it, and the
// guard of kept code addresses. Their places in the thread's block are part of the ABI.
void set_guards() {
    __asm__ volatile("mov %0, %%fs:0x28" : : "r"(_dl_random[0] & ~uintptr_t{0xff}));
    __asm__ volatile("mov %0, %%fs:0x30" : : "r"(_dl_random[1]));
}

// Of a caller with other rights than ours the environment is cleared of what could harm; that is glibc's business.
void start_secure(int argc, char** argv) {
    __tunables_init(__environ);
    __libc_early_init(true);
    __libc_init_first(argc, argv, __environ);
    __libc_check_standard_fds();
}

// What these programs use of the above: the letters' kinds, that there is one thread, and the program's name in messages.
void start_plain(int argc, char** argv) {
    __ctype_init();
    __libc_single_threaded = true;
    __libc_argc = argc, __libc_argv = argv;
    __init_misc(argc, argv, __environ);
}

}  // namespace

// Called by glibc's _start, and found by the linker before glibc's own.
extern "C" __attribute__((noreturn, no_stack_protector)) int __libc_start_main(
    int (*main)(int, char**, char**), int argc, char** argv, void (*)(), void (*)(), void (*)(), void* stack_end) {
    __environ = argv + argc + 1;
    __libc_stack_end = stack_end;
    char** end = __environ;
    while (*end) ++end;
    _dl_aux_init(reinterpret_cast<ElfW(auxv_t)*>(end + 1));
    choose_functions();
    __libc_setup_tls();
    set_guards();
    (__libc_enable_secure ? start_secure : start_plain)(argc, argv);
    for (auto f = __preinit_array_start; f < __preinit_array_end; ++f) (*f)(argc, argv, __environ);
    _init();
    for (auto f = __init_array_start; f < __init_array_end; ++f) (*f)(argc, argv, __environ);
    _exit(main(argc, argv, __environ));
}

#ifdef CROFT_PROBE
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

// What this start has to have brought about, each thing of a different step.
static thread_local int own = 42;
static std::string constructed = "by a constructor";
int main(int argc, char** argv, char** env) {
    uintptr_t canary;
    __asm__("mov %%fs:0x28, %0" : "=r"(canary));
    std::string large(3 << 20, 'x'), copy = large;
    errno = 0;
    bool failed = close(-1) < 0 && errno == EBADF;
    bool thrown = false;
    try {
        (void)large.at(large.size());
    } catch (const std::exception&) {
        thrown = true;
    }
    bool good = argc > 0 && argv[0] && env == environ && own == 42 && canary && !(canary & 0xff) && failed && thrown &&
                copy == large && strlen(copy.c_str()) == copy.size() && constructed.ends_with("constructor");
    return good ? 0 : 1;
}
#endif
