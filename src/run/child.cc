#include "run/child.h"

#include <iterator>

#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>

#include "base/text.h"
#include "kernel/raw.h"
#include "run/walk.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;
using kernel::raw_close;
using kernel::raw_open_in_root;
using launch::Phase;
using launch::ProcessStage;

Prepared::Prepared(const launch::Process& p) : process(p) {
    for (const auto& word : p.argv) argv.push_back(word.c_str());
    for (const auto& word : p.env) envp.push_back(word.c_str());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
}

void Prepared::use_init(Fd program, int sync) {
    words = {"croft-init", cat("--report=", sync), cat("--path=", process.search_path)};
    if (!process.init) words.push_back("--exec");
    words.push_back("--");
    for (size_t i = 0; i < words.size(); ++i) argv.insert(argv.begin() + static_cast<long>(i), words[i].c_str());
    init = program.get();
    init_file = std::move(program);
}

namespace {

[[noreturn]] void fail(const Context& c, Phase phase, uint8_t detail, size_t index, long error) {
    FailureMessage message;
    message.failure = {.phase = phase, .detail = detail, .index = static_cast<uint16_t>(index), .error = static_cast<int32_t>(-error)};
    __builtin_memcpy(message.reason, c.reason, sizeof message.reason);
    // write, not send: a filter that is loaded by now may not know the latter.
    raw(SYS_write, c.sync, arg(&message), sizeof message);
    for (;;) raw(SYS_exit_group, 125);
}

// A handler is of no use to the payload, and what the caller of croft ignores (nohup, a shell's background job) is not
// to be ignored inside.
void reset_signals() {
    struct {
        void* handler = nullptr;
        unsigned long flags = 0;
        void* restorer = nullptr;
        uint64_t mask = 0;
    } standard;
    for (int signal = 1; signal <= 64; ++signal)
        if (signal != SIGKILL && signal != SIGSTOP) raw(SYS_rt_sigaction, signal, arg(&standard), 0, sizeof standard.mask);
    raw(SYS_rt_sigprocmask, SIG_SETMASK, arg(&standard.mask), 0, sizeof standard.mask);
}

// Until exec nobody but the launcher knows of us, so we end with it.
void end_with_launcher(const Context& c, long signal) {
    raw(SYS_prctl, PR_SET_PDEATHSIG, signal, 0, 0, 0);
    char byte;
    // It may have ended before that: then its end of the socket is closed.
    if (raw(SYS_recvfrom, c.sync, arg(&byte), 1, MSG_PEEK | MSG_DONTWAIT, 0, 0) == 0) raw(SYS_exit_group, 125);
}

// The fault walk kills the launcher, whom this process cannot name from its own PID namespace.
void passed(const Prepared& prepared, const Context& c, uint32_t point) {
    if (point != prepared.faults.kill_at) return;
    raw(SYS_write, c.sync, arg("k"), 1);
    for (;;) raw(SYS_ppoll, 0, 0, 0, 0, 8);
}

// Every stage of Process returns 0 or -errno.
struct Stages {
    const Prepared& prepared;
    Context& c;
    const launch::Process& p = prepared.process;
    uint64_t permitted = 0;  // what we hold before giving up anything

    long keyring() {
        // Fresh, so that keys of the administrator's session are not the payload's. Kernels without keys: nothing to hide.
        long error = raw(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
        return error == -ENOSYS || error == -EPERM ? 0 : error;
    }

    long session() {
        long error = raw(SYS_setsid);
        return error == -EPERM ? 0 : error;
    }

    long streams() {
        if (p.terminal && c.terminal >= 0) {
            long error = raw(SYS_ioctl, c.terminal, TIOCSCTTY, 0);
            for (long i = 0; i < 3 && error >= 0; ++i) error = raw(SYS_dup3, c.terminal, i, 0);
            return error;
        }
        int fds[3];
        for (int i = 0; i < 3; ++i) {
            long fd = prepared.streams[i];
            if (fd < 0) fd = raw_open_in_root(AT_FDCWD, "/dev/null", O_RDWR);
            // Out of the way first: 1 may become 0 while 0 becomes 2.
            if (fd >= 0 && fd < 3 && fd != i) fd = raw(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
            if (fd < 0) return fd;
            fds[i] = static_cast<int>(fd);
        }
        for (int i = 0; i < 3; ++i) {
            long error = fds[i] == i ? raw(SYS_fcntl, i, F_SETFD, 0) : raw(SYS_dup3, fds[i], i, 0);
            if (error < 0) return error;
        }
        return 0;
    }

    // Nothing of the host's gets into the payload (CVE-2024-21626): all that is left open closes at exec.
    long fds() { return raw(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC); }

    long directory() {
        raw(SYS_umask, p.umask);
        // Magic links are refused: /proc/self/fd/N as working directory would be a way out.
        long fd = raw_open_in_root(AT_FDCWD, p.directory.c_str(), O_PATH | O_DIRECTORY);
        if (fd < 0) return fd;
        long error = raw(SYS_fchdir, fd);
        raw_close(fd);
        // The kernel's own word that it is inside: a directory that the root does not lead to is "(unreachable)…"
        // (CVE-2024-21626).
        char here[4096];
        if (error >= 0) error = raw(SYS_getcwd, arg(here), sizeof here);
        return error < 0 ? error : here[0] == '/' ? 0 : -EXDEV;
    }

    long bounding() {
        for (int cap = 0; cap < 64; ++cap) {
            if (p.cap_bounding >> cap & 1) continue;
            long error = raw(SYS_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
            if (error == -EINVAL) break;  // beyond the kernel's last capability
            if (error < 0) return error;
        }
        return 0;
    }

    long personality() { return p.personality ? raw(SYS_personality, static_cast<long>(*p.personality)) : 0; }

    long write_attribute(const char* path, const std::string& value) {
        if (value.empty()) return 0;
        long fd = raw_open_in_root(AT_FDCWD, path, O_WRONLY);
        if (fd < 0) return fd;
        // A label that lands in some other file is no label (CVE-2025-52881): only a real proc is written to.
        struct statfs fs;
        long error = raw(SYS_fstatfs, fd, arg(&fs));
        if (error >= 0 && fs.f_type != PROC_SUPER_MAGIC) error = -EXDEV;
        long n = error < 0 ? error : raw(SYS_write, fd, arg(value.data()), static_cast<long>(value.size()));
        raw_close(fd);
        return n < 0 ? n : 0;
    }
    long labels() {
        if (long error = write_attribute("/proc/thread-self/attr/exec", p.selinux); error < 0) return error;
        return write_attribute("/proc/thread-self/attr/apparmor/exec", p.apparmor);
    }

    long groups() {
        // A user namespace of one id denies setgroups; with no groups asked for there is nothing to lose.
        long error = raw(SYS_setgroups, static_cast<long>(p.groups.size()), arg(p.groups.data()));
        return error == -EPERM && p.groups.empty() ? 0 : error;
    }

    long ids() {
        if (p.uid) raw(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
        long error = raw(SYS_setresgid, p.gid, p.gid, p.gid);
        return error < 0 ? error : raw(SYS_setresuid, p.uid, p.uid, p.uid);
    }

    long set_caps(uint64_t effective, uint64_t wanted, uint64_t inheritable) {
        __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
        __user_cap_data_struct data[2];
        for (int i = 0; i < 2; ++i)
            data[i] = {static_cast<uint32_t>(effective >> 32 * i), static_cast<uint32_t>(wanted >> 32 * i),
                       static_cast<uint32_t>(inheritable >> 32 * i)};
        return raw(SYS_capset, arg(&header), arg(data));
    }

    long read_permitted() {
        __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
        __user_cap_data_struct data[2] = {};
        long error = raw(SYS_capget, arg(&header), arg(data));
        permitted = data[0].permitted | static_cast<uint64_t>(data[1].permitted) << 32;
        return error;
    }

    long no_new_privileges() { return p.no_new_privileges ? raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : 0; }

    // Without no_new_privs the kernel wants CAP_SYS_ADMIN for a filter, so it is loaded before capabilities go.
    long seccomp() {
        if (!prepared.filter.len) return 0;
        if (p.uid)
            if (long error = set_caps(permitted, permitted, 0); error < 0) return error;
        return raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, prepared.filter_flags, arg(&prepared.filter));
    }

    // A capability that we do not hold ourselves cannot be given; the planner has warned about it.
    long capabilities() {
        long error = set_caps(p.cap_effective & permitted, p.cap_effective & permitted, p.cap_inheritable & permitted);
        for (int cap = 0; cap < 64 && error >= 0; ++cap)
            if (p.cap_ambient >> cap & 1) error = raw(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
        return error;
    }

    // Set after the last change of ids, which clears it.
    long parent_death() {
        end_with_launcher(c, p.parent_death_signal);
        return 0;
    }

    // The launcher has raised the hard limits that needed raising; here they only get narrower.
    long rlimits() {
        for (const launch::ResourceLimit& limit : p.rlimits) {
            uint64_t wanted[2] = {limit.soft, limit.hard};
            if (long error = raw(SYS_prlimit64, 0, limit.resource, arg(wanted), 0); error < 0) return error;
        }
        return 0;
    }
};

struct StageRow {
    ProcessStage name;
    long (Stages::*run)();
};
constexpr StageRow order[] = {{ProcessStage::keyring, &Stages::keyring},
                 {ProcessStage::session, &Stages::session},
                 {ProcessStage::streams, &Stages::streams},
                 {ProcessStage::fds, &Stages::fds},
                 {ProcessStage::directory, &Stages::directory},
                 {ProcessStage::rlimits, &Stages::rlimits},
                 {ProcessStage::personality, &Stages::personality},
                 {ProcessStage::capabilities, &Stages::read_permitted},
                 {ProcessStage::bounding, &Stages::bounding},
                 {ProcessStage::labels, &Stages::labels},
                 {ProcessStage::groups, &Stages::groups},
                 {ProcessStage::ids, &Stages::ids},
                 {ProcessStage::parent_death, &Stages::parent_death},
                 {ProcessStage::no_new_privileges, &Stages::no_new_privileges},
                 {ProcessStage::seccomp, &Stages::seccomp},
                 {ProcessStage::capabilities, &Stages::capabilities}};

void apply_process(const Prepared& prepared, Context& c) {
    Stages s{prepared, c};
    uint32_t point = prepared.first_point + (c.plan ? static_cast<uint32_t>(c.plan->inside.size()) : 0);
    for (const auto& stage : order) {
        long error = prepared.faults.before(point);
        if (error >= 0) error = (s.*stage.run)();
        if (error < 0) fail(c, Phase::process, static_cast<uint8_t>(stage.name), 0, error);
        passed(prepared, c, point++);
    }
}

long exec_file(const Prepared& p, const char* path) {
    return raw(SYS_execve, arg(path), arg(p.argv.data()), arg(p.envp.data()));
}

[[noreturn]] void execute(const Prepared& prepared, Context& c) {
    const launch::Process& p = prepared.process;
    // croft-init tells over the same socket when it cannot execute the command.
    if (prepared.init >= 0) raw(SYS_fcntl, c.sync, F_SETFD, 0);
    if (prepared.init >= 0)
        fail(c, Phase::exec, 0, 0, raw(SYS_execveat, prepared.init, arg(""), arg(prepared.argv.data()), arg(prepared.envp.data()), AT_EMPTY_PATH));
    const char* command = p.argv[0].c_str();
    if (p.argv[0].find('/') != std::string::npos) {
        long error = exec_file(prepared, command);
        bool there = raw(SYS_faccessat, AT_FDCWD, arg(command), 0) >= 0;
        fail(c, Phase::exec, there, 0, error);
    }
    // As execvp(3): a file that is missing is passed over, one that may not be executed is remembered.
    long worst = -ENOENT;
    bool there = false;
    for (const char* at = p.search_path.c_str(); *at;) {
        Path<4096> file;
        for (; *at && *at != ':'; ++at) file.add(at, 1);
        if (*at == ':') ++at;
        file.add("/").add(command);
        long error = exec_file(prepared, file.text);
        bool found = raw(SYS_faccessat, AT_FDCWD, arg(file.text), 0) >= 0;
        if ((error != -ENOENT && error != -ENOTDIR) || found) {
            worst = error;
            there = found;
            if (error != -EACCES) break;
        }
    }
    fail(c, Phase::exec, there, 0, worst);
}

void wait_for_go(const Context& c) {
    char byte;
    long n;
    do n = raw(SYS_recvfrom, c.sync, arg(&byte), 1, 0, 0, 0);
    while (n == -EINTR);
    // The launcher died or gave up: there is nobody to tell.
    if (n != 1) raw(SYS_exit_group, 125);
}

}  // namespace

const uint32_t process_points = std::size(order);

void become_payload(const Prepared& prepared, Context& c) {
    c.place = Place::inside;
    reset_signals();
    end_with_launcher(c, SIGKILL);
    if (prepared.wait_for_go) wait_for_go(c);
    if (prepared.user_namespace) {
        long error = raw(SYS_setresgid, 0, 0, 0);
        if (error >= 0) error = raw(SYS_setresuid, 0, 0, 0);
        end_with_launcher(c, SIGKILL);
        if (error < 0) fail(c, Phase::process, static_cast<uint8_t>(ProcessStage::ids), 0, error);
    }
    if (prepared.unshare)
        if (long error = raw(SYS_unshare, static_cast<long>(prepared.unshare)); error < 0) fail(c, Phase::clone, 0, 0, error);
    if (c.plan) {
        // Our own copy of the stage's root is where we start; the launcher's descriptor is of its mount namespace.
        if (c.stage >= 0) {
            c.stage = static_cast<int>(raw(SYS_openat, AT_FDCWD, arg("."), O_PATH | O_DIRECTORY | O_CLOEXEC));
            raw(SYS_chdir, arg("/"));
        }
        const auto& steps = c.plan->inside;
        for (size_t i = 0; i < steps.size(); ++i) {
            uint32_t point = prepared.first_point + static_cast<uint32_t>(i);
            long error = prepared.faults.before(point);
            if (error >= 0) error = perform(steps[i], c);
            if (error < 0) fail(c, Phase::inside, 0, i, error);
            passed(prepared, c, point);
        }
    }
    apply_process(prepared, c);
    execute(prepared, c);
}

}  // namespace croft::run
