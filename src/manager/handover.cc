#include "manager/handover.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace croft::manager {
namespace {

constexpr size_t most_descriptors = 16, most_bytes = 32 << 10;

// By the directory's descriptor, because its path may be longer than the 107 bytes that fit.
sockaddr_un start_address(int directory) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::string path = cat("/proc/self/fd/", directory, "/start");
    memcpy(address.sun_path, path.data(), path.size());
    return address;
}

Result<Fd> start_socket() {
    Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!socket) return os_error(errno, "making a socket");
    return socket;
}

Result<> send_bytes(int connection, std::string_view bytes, const std::vector<int>& descriptors) {
    iovec data = {const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)] = {};
    msghdr message = {};
    message.msg_iov = &data, message.msg_iovlen = 1;
    if (size_t size = descriptors.size() * sizeof(int)) {
        message.msg_control = control, message.msg_controllen = CMSG_SPACE(size);
        cmsghdr* c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(c), descriptors.data(), size);
    }
    if (sendmsg(connection, &message, MSG_NOSIGNAL) < 0) return os_error(errno, "handing over a machine");
    return {};
}

Result<std::string> receive_bytes(int connection, std::vector<Fd>& descriptors) {
    std::string bytes(most_bytes, '\0');
    iovec data = {bytes.data(), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)];
    msghdr message = {};
    message.msg_iov = &data, message.msg_iovlen = 1;
    message.msg_control = control, message.msg_controllen = sizeof control;
    ssize_t n;
    do n = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0) return os_error(errno, "taking over a machine");
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
        for (size_t at = 0; c->cmsg_type == SCM_RIGHTS && at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0);
             at += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
            descriptors.emplace_back(fd);
        }
    bytes.resize(static_cast<size_t>(n));
    return bytes;
}

}  // namespace

std::string pack_error(const Error& e) {
    return cat("E", static_cast<int>(e.code), " ", e.err, " ", e.text.substr(0, most_bytes / 2));
}

Error unpack_error(std::string_view text) {
    Error out;
    text.remove_prefix(1);
    size_t first = text.find(' '), second = first == text.npos ? text.npos : text.find(' ', first + 1);
    if (second == text.npos)
        return error(Errc::failed, "the launching process said something that makes no sense");
    out.code = static_cast<Errc>(parse_uint(text.substr(0, first)).value_or(0));
    out.err = static_cast<int>(parse_int(text.substr(first + 1, second - first - 1)).value_or(0));
    out.text = text.substr(second + 1);
    return out;
}

Result<Fd> listen_start(int directory) {
    Fd socket = TRY(start_socket());
    sockaddr_un address = start_address(directory);
    mode_t before = umask(0177);
    int bound = bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    int err = errno;
    umask(before);
    if (bound < 0) return os_error(err, "binding the machine's 'start' socket");
    if (listen(socket.get(), 1) < 0) return os_error(errno, "listening on the machine's 'start' socket");
    return socket;
}

Result<Fd> connect_start(int directory) {
    Fd socket = TRY(start_socket());
    sockaddr_un address = start_address(directory);
    if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return socket;
    if (errno == ENOENT || errno == ECONNREFUSED) return error(Errc::not_found, "nobody is starting it");
    return os_error(errno, "connecting to the command that starts the machine");
}

Result<> send_request(int connection, const StartRequest& request, const std::vector<int>& descriptors) {
    return send_bytes(connection, {reinterpret_cast<const char*>(&request), sizeof request}, descriptors);
}

Result<StartRequest> receive_request(int connection, std::vector<Fd>& descriptors) {
    std::string bytes = TRY(receive_bytes(connection, descriptors));
    StartRequest request;
    if (bytes.size() != sizeof request || bytes[0] != request.kind)
        return error(Errc::failed, "the command that starts the machine went away");
    memcpy(&request, bytes.data(), sizeof request);
    return request;
}

Result<> send_launched(int connection, int32_t leader) {
    return send_bytes(connection, cat("L", leader), {});
}

void send_failure(int connection, const Error& error) {
    (void)send_bytes(connection, pack_error(error), {});
}

Result<int32_t> receive_answer(int connection) {
    // One message and no byte of the next, which may bring the console.
    std::vector<Fd> descriptors;
    std::string bytes = TRY(receive_bytes(connection, descriptors));
    if (bytes.starts_with('E')) return unpack_error(bytes);
    auto leader = parse_uint(std::string_view(bytes).substr(std::min<size_t>(1, bytes.size())));
    if (!bytes.starts_with('L') || !leader) return error(Errc::failed, "the launching process was killed");
    return static_cast<int32_t>(*leader);
}

}  // namespace croft::manager
