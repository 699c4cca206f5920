// croft-hold: the waiting parent of one machine, when there is no systemd to be that. See run/hold_protocol.h
// for what it is told and what it answers. One loop over ppoll(2); everything it writes goes below the
// machine's run directory.
#include "apps/tiny/tiny.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "run/hold_protocol.h"

namespace tiny = croft::tiny;
namespace run = croft::run;

namespace {

struct Hold {
    long pid, pidfd, dir, console, out, err, notify, listen, client, cgroup, cgroup_parent, log_max;
    const char *name, *cgroup_name, *croft;
    bool boot, cleanup, unit;
    long stop = SIGTERM, signals = -1, log = -1, log_size = 0;
};

char buffer[4096];

long option(char** argv, const char* name, long otherwise = -1) {
    return tiny::number(tiny::value_of(argv, name), otherwise);
}

void close(long& fd) {
    if (fd >= 0) tiny::call(SYS_close, fd);
    fd = -1;
}

long create(long dir, const char* name, int flags) {
    return tiny::call(SYS_openat, dir, tiny::arg(name), O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_WRONLY | flags,
                      0640);
}

// A small file that is there in full or not at all.
void put_file(long dir, const char* name, const char* text, size_t size) {
    long fd = create(dir, ".hold", O_TRUNC);
    if (fd < 0) return;
    tiny::call(SYS_write, fd, tiny::arg(text), static_cast<long>(size));
    close(fd);
    tiny::call(SYS_renameat2, dir, tiny::arg(".hold"), dir, tiny::arg(name), 0);
}

long realtime() {  // µs since the epoch
    __kernel_timespec now = {};
    tiny::call(SYS_clock_gettime, 0, tiny::arg(&now));
    return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

// A line for `croft events`, in the form of manager/events.h: what only this process sees. A machine's name
// holds nothing that JSON would have to escape. The commands keep the file small; without them it stays so by
// itself.
void tell_event(Hold& h, const char* event, const siginfo_t* end) {
    long fd = create(h.dir, "../../events", O_APPEND);
    if (fd < 0) return;
    tiny::Text<512> line;
    line.add("{\"time\":").add(realtime()).add(",\"machine\":\"").add(h.name);
    line.add("\",\"event\":\"").add(event).add("\"");
    if (end) line.add(",\"code\":").add(end->si_code).add(",\"status\":").add(end->si_status);
    if (end) line.add(",\"boot\":").add(h.boot ? 1 : 0);
    line.add("}\n");
    if (tiny::call(SYS_lseek, fd, 0, SEEK_END) < 4 << 20)
        tiny::call(SYS_write, fd, tiny::arg(line.data), static_cast<long>(line.used));
    close(fd);
}

void open_log(Hold& h) {
    if (h.unit) {
        h.log = 1;
        return;
    }
    h.log = create(h.dir, "log", O_APPEND);
    long size = h.log < 0 ? 0 : tiny::call(SYS_lseek, h.log, 0, SEEK_END);
    h.log_size = size > 0 ? size : 0;
}

void write_log(Hold& h, long size) {
    if (h.log_size > h.log_max && !h.unit) {
        close(h.log);
        tiny::call(SYS_renameat2, h.dir, tiny::arg("log"), h.dir, tiny::arg("log.1"), 0);
        open_log(h);
    }
    for (long done = 0; done < size;) {
        long n = tiny::call(SYS_write, h.log, tiny::arg(buffer + done), size - done);
        if (n == -EINTR) continue;
        if (n <= 0) return;  // a full /run loses output, never the machine
        done += n;
        h.log_size += n;
    }
}

// Moves what there is from fd to the log; false when the other side is gone for good. A pseudo terminal
// without a slave reads EIO: that is for now only, because the machine's init opens and closes its console as
// it likes.
bool drain(Hold& h, long fd) {
    long n = tiny::call(SYS_read, fd, tiny::arg(buffer), sizeof buffer);
    if (n > 0) write_log(h, n);
    return n > 0 || n == -EINTR || n == -EAGAIN;
}

bool has_line(const char* text, const char* line) {
    for (;;) {
        if (tiny::starts_with(text, line)) {
            char end = text[tiny::length(line)];
            if (end == 0 || end == '\n') return true;
        }
        while (*text && *text != '\n') ++text;
        if (!*text++) return false;
    }
}

// CMSG_NXTHDR(3), which is a function of libc.
cmsghdr* next_control(const msghdr& message, cmsghdr* c) {
    char* next = reinterpret_cast<char*>(c) + CMSG_ALIGN(c->cmsg_len);
    char* end = static_cast<char*>(message.msg_control) + message.msg_controllen;
    if (c->cmsg_len < sizeof *c || next + sizeof *c > end) return nullptr;
    return reinterpret_cast<cmsghdr*>(next);
}

// READY=1 counts from PID 1 of the machine only, as for systemd's own NotifyAccess=main: the kernel vouches
// for the sender's pid.
void take_notification(Hold& h) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred)) + 64];
    iovec data = {buffer, sizeof buffer - 1};
    msghdr message = {};
    message.msg_iov = &data, message.msg_iovlen = 1;
    message.msg_control = control, message.msg_controllen = sizeof control;
    long n = tiny::call(SYS_recvmsg, h.notify, tiny::arg(&message), MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0) return;
    buffer[n] = 0;
    int sender = 0;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = next_control(message, c)) {
        if (c->cmsg_level != SOL_SOCKET) continue;
        if (c->cmsg_type == SCM_CREDENTIALS) sender = reinterpret_cast<ucred*>(CMSG_DATA(c))->pid;
        // Descriptors nobody asked for (FDSTORE=1) are closed, or they would pile up here.
        if (c->cmsg_type == SCM_RIGHTS)
            for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
                int fd;
                memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
                tiny::call(SYS_close, fd);
            }
    }
    if (sender != h.pid) return;
    if (has_line(buffer, "READY=1")) {
        put_file(h.dir, "ready", "1\n", 2);
        tell_event(h, "ready", nullptr);
    }
    put_file(h.dir, "status", buffer, static_cast<size_t>(n));
}

void send_to_client(long client, const void* bytes, size_t size, long fd_to_pass) {
    iovec data = {const_cast<void*>(bytes), size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &data, message.msg_iovlen = 1;
    if (fd_to_pass >= 0) {
        message.msg_control = control, message.msg_controllen = sizeof control;
        cmsghdr* c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof(int));
        int fd = static_cast<int>(fd_to_pass);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    tiny::call(SYS_sendmsg, client, tiny::arg(&message), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void take_client(Hold& h) {
    long peer = tiny::call(SYS_accept4, h.listen, 0, 0, SOCK_CLOEXEC);
    if (peer < 0) return;
    if (h.client >= 0) {
        send_to_client(peer, &run::hold_busy, 1, -1);
        close(peer);
        return;
    }
    send_to_client(peer, &run::hold_console, 1, h.console);
    h.client = peer;
}

// A peer that has sent anything or closed is done.
void drop_client_if_gone(Hold& h) {
    long n = tiny::call(SYS_recvfrom, h.client, tiny::arg(buffer), sizeof buffer, MSG_DONTWAIT, 0, 0);
    if (n == 0 || (n < 0 && n != -EAGAIN && n != -EINTR)) close(h.client);
}

void set_nonblocking(long fd) {
    if (fd >= 0) tiny::call(SYS_fcntl, fd, F_SETFL, O_NONBLOCK | tiny::call(SYS_fcntl, fd, F_GETFL));
}

// What the payload wrote before it ended is still in the pipes and the terminal. Bounded: a process that
// outlived it and holds the other end could write for ever.
void drain_rest(Hold& h) {
    long fds[] = {h.client < 0 ? h.console : -1, h.out, h.err};
    for (long fd : fds) {
        if (fd < 0) continue;
        set_nonblocking(fd);
        for (int round = 0; round < 1024; ++round) {
            long n = tiny::call(SYS_read, fd, tiny::arg(buffer), sizeof buffer);
            if (n <= 0) break;
            write_log(h, n);
        }
    }
}

void set_cloexec(long fd, bool on) {
    if (fd >= 0) tiny::call(SYS_fcntl, fd, F_SETFD, on ? FD_CLOEXEC : 0);
}

// The machine's lock must live on over this exec: the descriptors are kept as they are.
[[noreturn]] void become_croft(Hold& h, const char* verb, char** envp) {
    const char* argv[] = {h.croft, verb, h.name, nullptr};
    tiny::call(SYS_execve, tiny::arg(h.croft), tiny::arg(argv), tiny::arg(envp));
    tiny::exit(125);
}

void pause_ms(long ms) {
    __kernel_timespec time = {0, ms * 1'000'000};
    tiny::call(SYS_nanosleep, tiny::arg(&time), 0);
}

// A directory entry as getdents64(2) gives it; the name goes on behind it.
struct Entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[1];
};

// Removes the groups below one that has no processes any more; depth bounded, because a payload that owns its
// cgroup may nest as it likes (`croft _cleanup` takes what is deeper).
void remove_children(long group, int depth) {
    char entries[1024];
    long n;
    while (depth < 16 && (n = tiny::call(SYS_getdents64, group, tiny::arg(entries), sizeof entries)) > 0)
        for (long at = 0; at < n;) {
            auto* entry = reinterpret_cast<Entry*>(entries + at);
            at += entry->size;
            if (entry->type != 4 || entry->name[0] == '.') continue;  // DT_DIR
            long child =
                tiny::call(SYS_openat, group, tiny::arg(entry->name), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
            if (child >= 0) remove_children(child, depth + 1);
            close(child);
            tiny::call(SYS_unlinkat, group, tiny::arg(entry->name), AT_REMOVEDIR);
        }
}

bool remove_cgroup(Hold& h) {
    if (h.cgroup < 0 || !h.cgroup_name) return true;
    long kill = tiny::call(SYS_openat, h.cgroup, tiny::arg("cgroup.kill"), O_WRONLY | O_CLOEXEC, 0);
    if (kill >= 0) tiny::call(SYS_write, kill, tiny::arg("1"), 1);
    close(kill);
    // Killed processes leave the group when they are reaped, a moment later.
    for (int tries = 0; tries < 50; ++tries) {
        long group = tiny::call(SYS_openat, h.cgroup, tiny::arg("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        if (group >= 0) remove_children(group, 0);
        close(group);
        long error = tiny::call(SYS_unlinkat, h.cgroup_parent, tiny::arg(h.cgroup_name), AT_REMOVEDIR);
        if (error == 0 || error == -ENOENT) return true;
        if (error != -EBUSY) return false;
        pause_ms(2);
    }
    return false;
}

[[noreturn]] void finish(Hold& h, char** envp) {
    if (h.unit) {
        drain_rest(h);
        tiny::exit(0);
    }
    siginfo_t info = {};
    while (tiny::call(SYS_waitid, P_PID, h.pid, tiny::arg(&info), WEXITED, 0) == -EINTR) {
    }
    drain_rest(h);
    if (h.boot && info.si_code == CLD_KILLED && info.si_status == SIGHUP) become_croft(h, "_relaunch", envp);
    tiny::Text<96> line;
    line.add(info.si_code).add(" ").add(info.si_status).add(" ").add(realtime()).add("\n");
    bool removed = remove_cgroup(h);
    put_file(h.dir, "exit", line.data, line.used);
    tell_event(h, "exited", &info);
    if (h.client >= 0) {
        char message[1 + sizeof(run::HoldExit)] = {run::hold_exit};
        run::HoldExit end = {info.si_code, info.si_status};
        memcpy(message + 1, &end, sizeof end);
        send_to_client(h.client, message, sizeof message, -1);
    }
    if (h.cleanup || !removed) become_croft(h, "_cleanup", envp);
    tiny::exit(0);
}

// A host that goes down ends its processes with SIGTERM: to the machine that is its own clean stop.
void pass_on_stop(Hold& h) {
    tiny::call(SYS_read, h.signals, tiny::arg(buffer), sizeof buffer);
    if (h.unit) return;  // systemd has told the payload itself
    tiny::call(SYS_pidfd_send_signal, h.pidfd, h.stop, 0, 0);
}

[[noreturn]] void serve(Hold& h, char** envp) {
    for (;;) {
        bool draining = h.client < 0;
        // A console that answered EIO is looked at again after a while instead of at once, for ever.
        pollfd fds[] = {
            {static_cast<int>(h.pidfd), POLLIN, 0},  {static_cast<int>(draining ? h.console : -1), POLLIN, 0},
            {static_cast<int>(h.out), POLLIN, 0},    {static_cast<int>(h.err), POLLIN, 0},
            {static_cast<int>(h.notify), POLLIN, 0}, {static_cast<int>(h.listen), POLLIN, 0},
            {static_cast<int>(h.client), POLLIN, 0}, {static_cast<int>(h.signals), POLLIN, 0}};
        long ready = tiny::call(SYS_ppoll, tiny::arg(fds), sizeof fds / sizeof *fds, 0, 0, 8);
        if (ready < 0) continue;
        if (fds[4].revents) take_notification(h);
        if (fds[1].revents && !drain(h, h.console)) {
            pause_ms(20);
        }
        if (fds[2].revents && !drain(h, h.out)) close(h.out);
        if (fds[3].revents && !drain(h, h.err)) close(h.err);
        if (fds[5].revents) take_client(h);
        if (fds[6].revents) drop_client_if_gone(h);
        if (fds[7].revents) pass_on_stop(h);
        if (fds[0].revents) finish(h, envp);
    }
}

}  // namespace

int tiny_main(int, char** argv, char** envp) {
    Hold h = {.pid = option(argv, "pid"),
              .pidfd = option(argv, "pidfd"),
              .dir = option(argv, "dir"),
              .console = option(argv, "console"),
              .out = option(argv, "out"),
              .err = option(argv, "err"),
              .notify = option(argv, "notify"),
              .listen = option(argv, "listen"),
              .client = option(argv, "client"),
              .cgroup = option(argv, "cgroup"),
              .cgroup_parent = option(argv, "cgparent"),
              .log_max = option(argv, "logmax", run::hold_log_max),
              .name = tiny::value_of(argv, "name"),
              .cgroup_name = tiny::value_of(argv, "cgname"),
              .croft = tiny::value_of(argv, "croft"),
              .boot = option(argv, "boot", 0) == 1,
              .cleanup = option(argv, "cleanup", 0) == 1,
              .unit = option(argv, "unit", 0) == 1};
    if (h.pid <= 0 || h.pidfd < 0 || h.dir < 0 || !h.name || !h.croft) return 125;
    // Nothing but SIGKILL ends it: it is the only one who knows how the machine ends.
    tiny::block_signals(~tiny::Signals{0});
    h.stop = option(argv, "stop", SIGTERM);
    tiny::Signals term = tiny::Signals{1} << (SIGTERM - 1);
    h.signals = tiny::call(SYS_signalfd4, -1, tiny::arg(&term), sizeof term, O_CLOEXEC | O_NONBLOCK);
    set_nonblocking(h.console);
    set_nonblocking(h.out);
    set_nonblocking(h.err);
    set_cloexec(h.client, true);
    open_log(h);
    serve(h, envp);
}
