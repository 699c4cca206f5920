#include "kernel/local_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace croft::kernel {
namespace {

constexpr size_t most_descriptors = 16;

// By the directory's descriptor, because its own path may be longer than the 107 bytes that fit.
sockaddr_un local_address(int directory, const char* name) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::string path = cat("/proc/self/fd/", directory, "/", name);
    memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
    return address;
}

Result<Fd> local_socket() {
    Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!socket) return os_error(errno, "making a socket");
    return socket;
}

}  // namespace

Result<Fd> listen_local(int directory, const char* name) {
    Fd socket = TRY(local_socket());
    sockaddr_un address = local_address(directory, name);
    if (unlinkat(directory, name, 0) < 0 && errno != ENOENT) return os_error(errno, cat("removing an old '", name, "'"));
    // Connecting needs write permission on the socket.
    mode_t before = umask(0177);
    int bound = bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    int err = errno;
    umask(before);
    if (bound < 0) return os_error(err, cat("binding the machine's '", name, "' socket"));
    if (listen(socket.get(), 4) < 0) return os_error(errno, cat("listening on the machine's '", name, "' socket"));
    return socket;
}

Result<Fd> connect_local(int directory, const char* name) {
    Fd socket = TRY(local_socket());
    sockaddr_un address = local_address(directory, name);
    if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return socket;
    if (errno == ENOENT || errno == ECONNREFUSED) return error(Errc::not_found, cat("nobody listens at '", name, "'"));
    return os_error(errno, cat("connecting to the machine's '", name, "' socket"));
}

Result<> send_descriptors(int socket, std::string_view bytes, std::span<const int> descriptors) {
    if (descriptors.size() > most_descriptors)
        return error(Errc::no_space, cat(descriptors.size(), " descriptors are too many for one message (at most ",
                                         most_descriptors, ")"));
    iovec data = {const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)] = {};
    msghdr message = {};
    message.msg_iov = &data, message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        message.msg_control = control, message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        memcpy(CMSG_DATA(c), descriptors.data(), descriptors.size_bytes());
    }
    if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) return os_error(errno, "sending a message");
    return {};
}

Result<std::string> receive_descriptors(int socket, size_t limit, std::vector<Fd>& descriptors) {
    std::string bytes(limit, '\0');
    iovec data = {bytes.data(), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)];
    msghdr message = {};
    message.msg_iov = &data, message.msg_iovlen = 1;
    message.msg_control = control, message.msg_controllen = sizeof control;
    ssize_t n;
    do n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0) return os_error(errno, "receiving a message");
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
            descriptors.emplace_back(fd);
        }
    }
    // Half a message is none: what is missing could be a lock.
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        descriptors.clear();
        return error(Errc::no_space, cat("a message is longer than ", limit, " bytes or brings more than ", most_descriptors,
                                         " descriptors"));
    }
    bytes.resize(static_cast<size_t>(n));
    return bytes;
}

}  // namespace croft::kernel
