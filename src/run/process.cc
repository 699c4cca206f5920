#include "run/process.h"

#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "kernel/raw.h"
#include "run/walk.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;
using kernel::raw_close;
using kernel::raw_open_in_root;

// Until exec nobody but the launcher knows of us, so we end with it.
void end_with_launcher(const Context& c, long signal) {
    raw(SYS_prctl, PR_SET_PDEATHSIG, signal, 0, 0, 0);
    char byte;
    // It may have ended before that: then its end of the socket is closed.
    if (raw(SYS_recvfrom, c.sync, arg(&byte), 1, MSG_PEEK | MSG_DONTWAIT, 0, 0) == 0)
        raw(SYS_exit_group, 125);
}

long ProcessStages::keyring() {
    // Fresh, so that keys of the administrator's session are not the payload's. Kernels without keys: nothing
    // to hide.
    if (!p.new_keyring) return 0;
    long error = raw(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    return error == -ENOSYS || error == -EPERM ? 0 : error;
}

long ProcessStages::session() {
    long error = raw(SYS_setsid);
    return error == -EPERM ? 0 : error;
}

long ProcessStages::streams() {
    if (p.terminal && c.terminal >= 0) {
        // An init leaves the console to the sessions it starts: a getty takes it as its own controlling
        // terminal, which is refused while it is another session's.
        long error = c.plan->boot ? 0 : raw(SYS_ioctl, c.terminal, TIOCSCTTY, 0);
        for (long i = 0; i < 3 && error >= 0; ++i) error = raw(SYS_dup3, c.terminal, i, 0);
        return error;
    }
    int fds[3];
    for (int i = 0; i < 3; ++i) {
        long fd = prepared_.streams[i];
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

// Nothing of the host's gets into the payload (CVE-2024-21626): all that is left open closes at exec. Of
// those that the payload is given, ours are none: we open everything CLOEXEC.
long ProcessStages::fds() {
    return raw(SYS_close_range, 3L + prepared_.preserve_fds, ~0U, CLOSE_RANGE_CLOEXEC);
}

long ProcessStages::directory() {
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

long ProcessStages::bounding() {
    for (int cap = 0; cap < 64; ++cap) {
        if (p.cap_bounding >> cap & 1) continue;
        long error = raw(SYS_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
        if (error == -EINVAL) break;  // beyond the kernel's last capability
        if (error < 0) return error;
    }
    return 0;
}

long ProcessStages::personality() {
    return p.personality ? raw(SYS_personality, static_cast<long>(*p.personality)) : 0;
}

long ProcessStages::memory_policy() {
    if (!p.memory_policy) return 0;
    // The kernel counts one bit less than it is told.
    return raw(SYS_set_mempolicy, static_cast<long>(*p.memory_policy), arg(prepared_.nodes.data()),
               static_cast<long>(prepared_.nodes.size() * 64 + 1));
}

namespace {

// As the kernel's exec would answer for this file; a script's interpreter is not looked at.
long executable(const char* path, bool& there) {
    struct stat st;
    long error = raw(SYS_newfstatat, AT_FDCWD, arg(path), arg(&st), 0);
    if (error < 0) return error;
    there = true;
    return S_ISREG(st.st_mode) ? raw(SYS_faccessat, AT_FDCWD, arg(path), X_OK) : -EACCES;
}

}  // namespace

// Where exec waits for the gate, a command that is not there is told before.
long ProcessStages::command() {
    if (!p.wait_start || p.argv.empty()) return 0;
    const char* command = p.argv[0].c_str();
    if (p.argv[0].find('/') != std::string::npos) return executable(command, there_);
    long worst = -ENOENT;
    for (const char* at = p.search_path.c_str(); *at;) {
        Path<4096> file;
        for (; *at && *at != ':'; ++at) file.add(at, 1);
        if (*at == ':') ++at;
        file.add("/").add(command);
        bool there = false;
        long error = executable(file.text, there);
        if (error >= 0) return 0;
        if (error != -ENOENT && error != -ENOTDIR) worst = error, there_ = there_ || there;
    }
    return worst;
}

namespace {

long write_attribute(const char* path, std::string_view value) {
    if (value.empty()) return 0;
    // From the root, which is the machine's by now; the working directory may be any.
    open_how how = {};
    how.flags = O_WRONLY | O_CLOEXEC;
    how.resolve = RESOLVE_NO_MAGICLINKS;
    long fd = raw(SYS_openat2, AT_FDCWD, arg(path), arg(&how), sizeof how);
    if (fd < 0) return fd;
    // A label that lands in some other file is no label (CVE-2025-52881): only a real proc is written to.
    struct statfs fs;
    long error = raw(SYS_fstatfs, fd, arg(&fs));
    if (error >= 0 && fs.f_type != PROC_SUPER_MAGIC) error = -EXDEV;
    long n = error < 0 ? error : raw(SYS_write, fd, arg(value.data()), static_cast<long>(value.size()));
    raw_close(fd);
    return n < 0 ? n : 0;
}

}  // namespace
long ProcessStages::labels() {
    if (long error = write_attribute("/proc/thread-self/attr/exec", p.selinux); error < 0) return error;
    if (p.apparmor.empty()) return 0;
    // AppArmor wants to be told what to do with the name, in the same write. Prepared on the stack: nothing allocates here.
    constexpr std::string_view command = "exec ";
    char text[4096];
    if (command.size() + p.apparmor.size() > sizeof text) return -ENAMETOOLONG;
    char* end = std::copy(command.begin(), command.end(), text);
    end = std::copy(p.apparmor.begin(), p.apparmor.end(), end);
    return write_attribute("/proc/thread-self/attr/apparmor/exec", {text, end});
}

long ProcessStages::groups() {
    // A user namespace of one id denies setgroups; with no groups asked for there is nothing to lose.
    long error = raw(SYS_setgroups, static_cast<long>(p.groups.size()), arg(p.groups.data()));
    return error == -EPERM && p.groups.empty() ? 0 : error;
}

long ProcessStages::ids() {
    if (p.uid) raw(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
    long error = raw(SYS_setresgid, p.gid, p.gid, p.gid);
    return error < 0 ? error : raw(SYS_setresuid, p.uid, p.uid, p.uid);
}

namespace {

long set_caps(uint64_t effective, uint64_t wanted, uint64_t inheritable) {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2];
    for (int i = 0; i < 2; ++i)
        data[i] = {static_cast<uint32_t>(effective >> 32 * i), static_cast<uint32_t>(wanted >> 32 * i),
                   static_cast<uint32_t>(inheritable >> 32 * i)};
    return raw(SYS_capset, arg(&header), arg(data));
}

}  // namespace

long ProcessStages::read_permitted() {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    long error = raw(SYS_capget, arg(&header), arg(data));
    permitted_ = data[0].permitted | static_cast<uint64_t>(data[1].permitted) << 32;
    return error;
}

long ProcessStages::no_new_privileges() {
    return p.no_new_privileges ? raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : 0;
}

// Without no_new_privs the kernel wants CAP_SYS_ADMIN for a filter, so it is loaded before capabilities go.
long ProcessStages::seccomp() {
    if (!prepared_.filter.len) return 0;
    if (p.uid)
        if (long error = set_caps(permitted_, permitted_, 0); error < 0) return error;
    long result = raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, prepared_.filter_flags, arg(&prepared_.filter));
    bool listens = prepared_.filter_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
    return result >= 0 && listens && !p.seccomp_listener.empty() ? hand_on_listener(result) : result;
}

// The launcher takes it from our table of descriptors, so that the filter need not know sendmsg(2).
long ProcessStages::hand_on_listener(long fd) {
    ListenerMessage message;
    message.descriptor = static_cast<int32_t>(fd);
    long error = ask_launcher(c.sync, &message, sizeof message);
    raw_close(fd);
    return error;
}

// A capability that we do not hold ourselves cannot be given; the planner has warned about it.
long ProcessStages::capabilities() {
    long error =
        set_caps(p.cap_effective & permitted_, p.cap_permitted.value_or(p.cap_effective) & permitted_,
                 p.cap_inheritable & permitted_);
    for (int cap = 0; cap < 64 && error >= 0; ++cap)
        if (p.cap_ambient >> cap & 1) error = raw(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
    return error;
}

// Set after the last change of ids, which clears it.
long ProcessStages::parent_death() {
    end_with_launcher(c, p.parent_death_signal);
    return 0;
}

// The launcher has raised the hard limits that needed raising; here they only get narrower.
long ProcessStages::rlimits() {
    for (const launch::ResourceLimit& limit : p.rlimits) {
        uint64_t wanted[2] = {limit.soft, limit.hard};
        if (long error = raw(SYS_prlimit64, 0, limit.resource, arg(wanted), 0); error < 0) return error;
    }
    return 0;
}

const ProcessStages::Row ProcessStages::order[process_points] = {
    {launch::ProcessStage::keyring, &ProcessStages::keyring},
    {launch::ProcessStage::session, &ProcessStages::session},
    {launch::ProcessStage::streams, &ProcessStages::streams},
    {launch::ProcessStage::fds, &ProcessStages::fds},
    {launch::ProcessStage::directory, &ProcessStages::directory},
    {launch::ProcessStage::rlimits, &ProcessStages::rlimits},
    {launch::ProcessStage::personality, &ProcessStages::personality},
    {launch::ProcessStage::memory_policy, &ProcessStages::memory_policy},
    {launch::ProcessStage::capabilities, &ProcessStages::read_permitted},
    {launch::ProcessStage::bounding, &ProcessStages::bounding},
    {launch::ProcessStage::labels, &ProcessStages::labels},
    {launch::ProcessStage::groups, &ProcessStages::groups},
    {launch::ProcessStage::ids, &ProcessStages::ids},
    {launch::ProcessStage::parent_death, &ProcessStages::parent_death},
    {launch::ProcessStage::command, &ProcessStages::command},
    {launch::ProcessStage::no_new_privileges, &ProcessStages::no_new_privileges},
    {launch::ProcessStage::seccomp, &ProcessStages::seccomp},
    {launch::ProcessStage::capabilities, &ProcessStages::capabilities}};

long ProcessStages::apply(uint32_t place) {
    return (this->*order[place].run)();
}

launch::ProcessStage ProcessStages::name(uint32_t place) {
    return order[place].name;
}

}  // namespace croft::run
