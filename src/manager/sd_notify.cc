#include "manager/sd_notify.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/fd.h"
#include "base/text.h"

namespace croft::manager {
namespace {

constexpr int barrier_patience = 30'000;  // ms: systemd that does not read for so long is not coming back
constexpr size_t most_descriptors = 16;

// A path, or an abstract name behind '@'.
Result<socklen_t> notify_address(sockaddr_un& address) {
    const char* text = getenv("NOTIFY_SOCKET");
    size_t length = text ? strlen(text) : 0;
    if (length < 2 || length >= sizeof address.sun_path || (text[0] != '/' && text[0] != '@'))
        return error(Errc::wrong_state, "systemd has given no $NOTIFY_SOCKET: this is for units to start");
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, text, length);
    if (text[0] == '@') address.sun_path[0] = 0;
    return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
}

}  // namespace

bool may_notify() {
    return getenv("NOTIFY_SOCKET") != nullptr;
}

Result<> notify_systemd(std::string_view message, std::span<const int> descriptors) {
    sockaddr_un address = {};
    socklen_t size = TRY(notify_address(address));
    Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return os_error(errno, "making a socket");
    iovec data = {const_cast<char*>(message.data()), message.size()};
    msghdr header = {};
    header.msg_name = &address, header.msg_namelen = size;
    header.msg_iov = &data, header.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)] = {};
    if (descriptors.size() > most_descriptors)
        return error(Errc::no_space, cat(descriptors.size(), " descriptors are too many for one message"));
    if (!descriptors.empty()) {
        header.msg_control = control, header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        memcpy(CMSG_DATA(c), descriptors.data(), descriptors.size_bytes());
    }
    if (sendmsg(socket.get(), &header, MSG_NOSIGNAL) < 0) return os_error(errno, "telling systemd");
    return {};
}

Result<> notify_barrier() {
    Pipe pipe = TRY(make_pipe());
    int sent = pipe.write.get();
    TRY(notify_systemd("BARRIER=1", {&sent, 1}));
    pipe.write.reset();
    // systemd closes its copy when it comes to this message: that hangs up our end.
    pollfd watched = {pipe.read.get(), 0, 0};
    int n;
    do n = poll(&watched, 1, barrier_patience);
    while (n < 0 && errno == EINTR);
    if (n <= 0) return error(Errc::timeout, "systemd does not read what services tell it");
    return {};
}

}  // namespace croft::manager
