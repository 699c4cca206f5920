// Attempts by system calls. Arguments are such that a call that is let through fails, or changes nothing
// outside the process: with bogus pointers and magic numbers EFAULT and EINVAL are the answers of a kernel
// that was reached.
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_alg.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attempts.h"

namespace guest {
namespace {

int told(long result) {
    return result < 0 ? errno : 0;
}

int load_bpf() {
    bpf_insn code[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    attr.insns = reinterpret_cast<uint64_t>(code);
    attr.insn_cnt = 2;
    attr.license = reinterpret_cast<uint64_t>("GPL");
    return told(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr));
}

int trace_child() {
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    int error = told(ptrace(PTRACE_ATTACH, pid, nullptr, nullptr));
    kill(pid, SIGKILL);
    return error;
}

int handle_of_root() {
    struct {
        file_handle head;
        unsigned char rest[128];
    } handle{};
    handle.head.handle_bytes = sizeof handle.rest;
    int mount_id = 0;
    if (name_to_handle_at(AT_FDCWD, "/", &handle.head, &mount_id, 0) != 0) return errno;
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return told(open_by_handle_at(fd, &handle.head, O_RDONLY));
}

int set_clock() {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return told(syscall(SYS_clock_settime, CLOCK_REALTIME, &now));
}

// perf of this process itself, counting nothing.
int open_perf() {
    perf_event_attr attr{};
    attr.type = PERF_TYPE_SOFTWARE, attr.size = sizeof attr, attr.config = PERF_COUNT_SW_DUMMY;
    attr.disabled = attr.exclude_kernel = 1;
    return told(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

int open_socket(int family, int type, int protocol) {
    return told(socket(family, type, protocol));
}

int rename_host() {
    char name[65];
    return gethostname(name, sizeof name) < 0 ? errno : told(sethostname(name, strlen(name)));
}

int push_key(int fd) {
    char c = '\n';
    return told(ioctl(fd, TIOCSTI, &c));
}

int lower_nice() {
    return told(setpriority(PRIO_PROCESS, 0, -20));
}
int real_time() {
    sched_param param{.sched_priority = 1};
    return told(sched_setscheduler(0, SCHED_FIFO, &param));
}

// A new user namespace, and in it what its root may do that a host's user may not.
int in_new_userns(int (*then)()) {
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ? errno : then();
}
int mount_tmpfs() {
    return told(mount("tmpfs", "/tmp", "tmpfs", 0, nullptr));
}

int uring() {
    io_uring_params params{};
    return told(syscall(SYS_io_uring_setup, 1, &params));
}

int signal_init() {
    return told(kill(1, 0));
}

// setns into the host would need one of its namespaces: that of PID 1, if that is the host's.
int join_init_mounts() {
    int fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? errno : told(setns(fd, CLONE_NEWNS));
}

}  // namespace

const Attempt call_attempts[] = {
    {"bpf-load", load_bpf},
    {"ptrace-child", trace_child},
    {"keyctl", [] { return told(syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3 /* session */, 0)); }},
    {"add-key", [] { return told(syscall(SYS_add_key, "user", "probe", "x", 1, -2 /* process keyring */)); }},
    {"open-by-handle", handle_of_root},
    {"kexec-load", [] { return told(syscall(SYS_kexec_load, 0, 1, 1, 0xffff)); }},
#ifdef SYS_kexec_file_load
    {"kexec-file-load", [] { return told(syscall(SYS_kexec_file_load, -1, -1, 0, nullptr, 0xffff)); }},
#endif
    {"init-module", [] { return told(syscall(SYS_init_module, nullptr, 0, "")); }},
    {"finit-module", [] { return told(syscall(SYS_finit_module, -1, "", 0)); }},
    {"delete-module", [] { return told(syscall(SYS_delete_module, "no_such_module_of_probe", O_NONBLOCK)); }},
    {"reboot-bad-magic", [] { return told(syscall(SYS_reboot, 1, 2, 3, nullptr)); }},
    {"swapon", [] { return told(swapon("/no/such/swap", 0)); }},
    {"swapoff", [] { return told(swapoff("/no/such/swap")); }},
    {"acct", [] { return told(acct("/no/such/acct")); }},
    {"clock-settime", set_clock},
    {"syslog-read", [] { return told(klogctl(10 /* SIZE_BUFFER */, nullptr, 0)); }},
    {"syslog-console-level", [] { return told(klogctl(8, nullptr, -1)); }},
    {"perf-event", open_perf},
    {"fanotify", [] { return told(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY)); }},
    {"fanotify-unprivileged",
     [] { return told(int(syscall(SYS_fanotify_init, FAN_CLASS_NOTIF | FAN_REPORT_FID, O_RDONLY))); }},
    {"quotactl", [] { return told(syscall(SYS_quotactl, 0x800001 << 8, nullptr, 0, nullptr)); }},
    {"userfaultfd", [] { return told(syscall(SYS_userfaultfd, O_CLOEXEC)); }},
    {"io-uring", uring},
#if defined(__x86_64__)
    {"iopl", [] { return told(iopl(3)); }},
    {"ioperm", [] { return told(ioperm(0x80, 1, 1)); }},
    {"modify-ldt", [] { return told(syscall(SYS_modify_ldt, 0, nullptr, 0)); }},
#endif
    {"mlock", [] { return told(mlock(&optind, sizeof optind)); }},
    {"lookup-dcookie", [] { return told(syscall(SYS_lookup_dcookie, 0, nullptr, 0)); }},
    {"memfd-secret", [] { return told(syscall(447, 0)); }},
    {"unknown-syscall", [] { return told(syscall(5000)); }},
    {"clone3", [] { return told(syscall(SYS_clone3, nullptr, 0)); }},
    {"unshare-user", [] { return told(unshare(CLONE_NEWUSER)); }},
    {"unshare-user-mount", [] { return in_new_userns(mount_tmpfs); }},
    {"unshare-mount", [] { return told(unshare(CLONE_NEWNS)); }},
    {"unshare-net", [] { return told(unshare(CLONE_NEWNET)); }},
    {"unshare-pid", [] { return told(unshare(CLONE_NEWPID)); }},
    {"setns-init-mount", join_init_mounts},
    {"signal-init", signal_init},
    {"sethostname", rename_host},
    {"nice-minus-20", lower_nice},
    {"scheduler-fifo", real_time},
    {"rlimit-raise",
     [] {
         rlimit l{RLIM_INFINITY, RLIM_INFINITY};
         return told(setrlimit(RLIMIT_NOFILE, &l));
     }},
    {"tiocsti-stdin", [] { return push_key(STDIN_FILENO); }},
    {"vhangup", [] { return told(vhangup()); }},
    {"socket-audit", [] { return open_socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT); }},
    {"socket-route", [] { return open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE); }},
    {"socket-inet", [] { return open_socket(AF_INET, SOCK_STREAM, 0); }},
    {"socket-unix", [] { return open_socket(AF_UNIX, SOCK_STREAM, 0); }},
    {"socket-raw", [] { return open_socket(AF_INET, SOCK_RAW, 1); }},
    {"socket-packet", [] { return open_socket(AF_PACKET, SOCK_RAW, 0); }},
    {"socket-alg", [] { return open_socket(AF_ALG, SOCK_SEQPACKET, 0); }},
    {"socket-vsock", [] { return open_socket(AF_VSOCK, SOCK_STREAM, 0); }},
    {nullptr, nullptr}};

}  // namespace guest
