#include "run/messages.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "kernel/raw.h"
#include "run/child.h"
#include "run/exec_report.h"
#include "run/hooks.h"

namespace croft::run {

long send_message(int socket, const void* bytes, size_t size, int fd) {
    iovec data = {const_cast<void*>(bytes), size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        __builtin_memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    long n = kernel::raw(SYS_sendmsg, socket, kernel::arg(&message), MSG_NOSIGNAL);
    return n < 0 ? n : 0;
}

Result<SyncSocket> make_sync_socket() {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return os_error(errno, "making a socket pair");
    return SyncSocket{Fd(pair[0]), Fd(pair[1])};
}

namespace {

// One message of at most `size` bytes and the descriptor that came with it: how many bytes, 0 at the end.
size_t receive(int socket, void* bytes, size_t size, Fd& passed) {
    iovec data = {bytes, size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message = {};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t n;
    do n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0) return 0;
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        int fd;
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
        passed = Fd(fd);
    }
    return static_cast<size_t>(n);
}

}  // namespace

long ask_launcher(int socket, const void* bytes, size_t size) {
    long n = size ? kernel::raw(SYS_write, socket, kernel::arg(bytes), static_cast<long>(size)) : 0;
    char byte;
    while (n >= 0 && (n = kernel::raw(SYS_read, socket, kernel::arg(&byte), 1)) == -EINTR) {
    }
    if (n != 1) kernel::raw(SYS_exit_group, 125);
    return 0;
}

Result<> say_go(int socket) {
    if (send(socket, &go_byte, 1, MSG_NOSIGNAL) != 1) return os_error(errno, "telling the payload to go on");
    return {};
}

Result<> wait_for_exec(int socket, const launch::LaunchPlan& plan, Requests& requests) {
    for (;;) {
        union {
            char kind;
            FailureMessage failed;
            ExecReport report;
            ListenerMessage listener;
        } message = {.kind = 0};
        Fd passed;
        size_t n = receive(socket, &message, sizeof message, passed);
        if (n == 0) return {};
        switch (message.kind) {
            case 'k':
                kill(getpid(), SIGKILL);
                break;
            case 'c':
                requests.console = std::move(passed);
                break;
            case 'h':
                // As a report of croft-init: a startContainer hook that ran without a gate.
                if (n == sizeof message.report)
                    return start_hook_error(plan.hooks.start_container, message.report.hook,
                                            message.report.error);
                if (requests.container_hooks) TRY(requests.container_hooks(passed.get()));
                TRY(say_go(socket));
                break;
            case 'l':
                if (requests.listener) TRY(requests.listener(message.listener.descriptor));
                TRY(say_go(socket));
                break;
            case 'w':
                return say_go(socket);
            case 'f':
                return explain_failure(plan, message.failed.failure, message.failed.reason);
            case 'x':
                return launch::explain(plan, {.phase = launch::Phase::exec,
                                              .detail = static_cast<uint8_t>(message.report.there),
                                              .error = message.report.error});
            default:
                return error(Errc::failed, "the payload's process said something that nobody understands");
        }
    }
}

Error explain_failure(const launch::LaunchPlan& plan, const launch::StepFailure& failure,
                      std::string_view reason) {
    Error error = launch::explain(plan, failure);
    if (!reason.empty()) error.text += cat(" (the kernel says: ", reason, ")");
    return error;
}

}  // namespace croft::run
