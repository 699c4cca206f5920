#include "run/hold.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/text.h"
#include "run/hold_protocol.h"

namespace croft::run {

namespace {

// By the directory's descriptor, because a run directory's own path may be longer than the 107 bytes that
// fit.
sockaddr_un attach_address(int directory) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::string path = cat("/proc/self/fd/", directory, "/attach");
    memcpy(address.sun_path, path.data(), path.size());
    return address;
}

Result<Fd> attach_socket() {
    Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!socket) return os_error(errno, "making a socket");
    return socket;
}

// The arguments of croft-hold, and which descriptors have to outlive the exec.
class Words {
  public:
    void add(const char* key, std::string_view value) { words_.push_back(cat(key, "=", value)); }
    void add(const char* key, uint64_t value) { words_.push_back(cat(key, "=", value)); }
    void add(const char* key, const Fd& fd) {
        if (!fd) return;
        words_.push_back(cat(key, "=", fd.get()));
        keep(fd);
    }
    void keep(const Fd& fd) {
        if (fd) fcntl(fd.get(), F_SETFD, 0);
    }
    std::vector<char*> argv() {
        std::vector<char*> out;
        for (std::string& word : words_) out.push_back(word.data());
        out.push_back(nullptr);
        return out;
    }

  private:
    std::vector<std::string> words_ = {"croft-hold"};
};

}  // namespace

Result<Fd> listen_attach(int directory) {
    Fd socket = TRY(attach_socket());
    sockaddr_un address = attach_address(directory);
    if (unlinkat(directory, "attach", 0) < 0 && errno != ENOENT)
        return os_error(errno, "removing an old 'attach'");
    // Connecting needs write permission on the socket: it is the owner's alone from its first moment.
    mode_t before = umask(0177);
    int bound = bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    int err = errno;
    umask(before);
    if (bound < 0) return os_error(err, "binding the machine's 'attach' socket");
    if (listen(socket.get(), 4) < 0) return os_error(errno, "listening on the machine's 'attach' socket");
    return socket;
}

Result<Fd> connect_attach(int directory) {
    Fd socket = TRY(attach_socket());
    sockaddr_un address = attach_address(directory);
    if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return socket;
    if (errno == ENOENT || errno == ECONNREFUSED)
        return error(Errc::wrong_state,
                     "it has no console to attach to (one that is started with -t, or booted, has)");
    return os_error(errno, "connecting to the machine's keeper");
}

Result<Fd> receive_console(int connection) {
    char kind = 0;
    iovec data = {&kind, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message = {};
    message.msg_iov = &data, message.msg_iovlen = 1;
    message.msg_control = control, message.msg_controllen = sizeof control;
    ssize_t n;
    do n = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0) return os_error(errno, "asking the machine's keeper for its console");
    if (n == 1 && kind == hold_busy) return error(Errc::busy, "another terminal is attached to this machine");
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    if (n == 1 && kind == hold_console && c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        int fd;
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
        return Fd(fd);
    }
    return error(Errc::wrong_state, "the machine has just ended");
}

Result<> send_console(int connection, int console) {
    char kind = hold_console;
    iovec data = {&kind, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &data, message.msg_iovlen = 1;
    message.msg_control = control, message.msg_controllen = sizeof control;
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &console, sizeof console);
    if (sendmsg(connection, &message, MSG_NOSIGNAL) != 1)
        return os_error(errno, "handing over the machine's console");
    return {};
}

Result<std::pair<Fd, Fd>> attach_pair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return os_error(errno, "making a pair of sockets");
    return std::pair(Fd(ends[0]), Fd(ends[1]));
}

Error become_hold(Launched&& launched, HoldOptions&& options) {
    Fd listening;
    if (launched.console) {
        Result<Fd> made = listen_attach(options.directory.get());
        if (!made) return std::move(made).error();
        listening = std::move(*made);
    }
    Words words;
    words.add("name", options.name);
    words.add("croft", options.croft);
    words.add("unit", options.unit ? 1 : 0);
    words.add("pid", static_cast<uint64_t>(launched.pid));
    words.add("pidfd", launched.pidfd);
    words.add("dir", options.directory);
    words.add("console", launched.console);
    words.add("out", options.output);
    words.add("err", options.errors);
    words.add("notify", launched.notify);
    words.add("listen", listening);
    words.add("client", options.client);
    words.add("ready", options.ready);
    if (launched.cgroup && launched.cgroup_parent && !options.unit) {
        words.add("cgroup", launched.cgroup);
        words.add("cgparent", launched.cgroup_parent);
        words.add("cgname", launched.cgroup_name);
    }
    words.add("logmax", options.log_limit);
    words.add("stop", options.stop_signal);
    words.add("boot", options.boot ? 1 : 0);
    words.add("cleanup", options.has_cleanup ? 1 : 0);
    words.keep(options.lock);
    std::string path = cat(options.helper_directory, "/croft-hold");
    execve(path.c_str(), words.argv().data(), environ);
    return os_error(errno, cat("executing '", path, "'"));
}

}  // namespace croft::run
