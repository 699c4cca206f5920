#include "run/seccomp_listener.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "base/text.h"
#include "kernel/raw.h"

namespace croft::run {

namespace {

Result<Fd> connect_stream(const std::string& path) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return error(Errc::invalid, cat("the path is ", path.size(), " bytes long, and a socket's at most ",
                                        sizeof address.sun_path - 1));
    memcpy(address.sun_path, path.data(), path.size());
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return os_error(errno, "making a socket");
    int result;
    do result = connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    while (result < 0 && errno == EINTR);
    if (result < 0) return os_error(errno, "connecting");
    return fd;
}

// The state goes with the descriptor, and may be longer than what the socket takes at once.
Result<> send_state(int socket, std::string_view state, int listener) {
    iovec data = {const_cast<char*>(state.data()), state.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &data, message.msg_iovlen = 1;
    message.msg_control = control, message.msg_controllen = sizeof control;
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &listener, sizeof listener);
    ssize_t n;
    do n = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    for (size_t sent = n < 0 ? 0 : static_cast<size_t>(n); n >= 0 && sent < state.size();
         sent += static_cast<size_t>(n)) {
        do n = send(socket, state.data() + sent, state.size() - sent, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n < 0) break;
    }
    if (n < 0) return os_error(errno, "sending");
    return {};
}

}  // namespace

Result<> hand_on_listener(pid_t pid, int pidfd, int descriptor, const launch::LaunchPlan& plan,
                          const LaunchEnvironment& environment) {
    const std::string& path = plan.process.seccomp_listener;
    std::string what = cat("handing the system call filter's listener to ", quoted(path));
    if (path.empty() || !environment.seccomp_state)
        return error(Errc::invalid, cat(what, ": nobody is named who listens"));
    long fd = kernel::raw(SYS_pidfd_getfd, pidfd, descriptor, 0);
    if (fd < 0) return os_error(static_cast<int>(-fd), what);
    Fd listener(static_cast<int>(fd));
    Fd socket = TRY(connect_stream(path).within(what));
    return send_state(socket.get(), environment.seccomp_state(pid), listener.get()).within(what);
}

}  // namespace croft::run
