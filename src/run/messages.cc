#include "run/messages.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "kernel/raw.h"
#include "run/child.h"

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
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return os_error(errno, "making a socket pair");
    return SyncSocket{Fd(pair[0]), Fd(pair[1])};
}

std::optional<launch::StepFailure> wait_for_exec(int socket, Fd& console) {
    for (;;) {
        FailureMessage received;
        iovec data = {&received, sizeof received};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        msghdr message = {};
        message.msg_iov = &data;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return {};
        if (received.kind == 'f' && n == sizeof received) return received.failure;
        cmsghdr* c = CMSG_FIRSTHDR(&message);
        if (received.kind == 'c' && c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            int fd;
            memcpy(&fd, CMSG_DATA(c), sizeof fd);
            console = Fd(fd);
        }
    }
}

}  // namespace croft::run
