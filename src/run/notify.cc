#include "run/notify.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

namespace croft::run {

namespace {

bool has_line(std::string_view text, std::string_view line) {
    while (!text.empty()) {
        size_t end = std::min(text.find('\n'), text.size());
        if (text.substr(0, end) == line) return true;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return false;
}

}  // namespace

bool receive_ready(int socket, pid_t sender) {
    char text[4096];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(16 * sizeof(int))];
    iovec data = {text, sizeof text};
    msghdr message = {};
    message.msg_iov = &data, message.msg_iovlen = 1;
    message.msg_control = control, message.msg_controllen = sizeof control;
    ssize_t n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0) return false;
    pid_t from = 0;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET) continue;
        if (c->cmsg_type == SCM_CREDENTIALS) {
            ucred credentials;
            memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
            from = credentials.pid;
        }
        if (c->cmsg_type != SCM_RIGHTS) continue;
        for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
            close(fd);
        }
    }
    return from == sender && has_line({text, static_cast<size_t>(n)}, "READY=1");
}

}  // namespace croft::run
