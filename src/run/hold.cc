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

// A socket's address has 108 bytes and a run directory may be longer: the name goes by the directory's descriptor.
sockaddr_un attach_address(int directory) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::string path = cat("/proc/self/fd/", directory, "/attach");
    memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

Result<Fd> seqpacket() {
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) return os_error(errno, "making a socket");
    return Fd(fd);
}

// NAME=VALUE words for croft-hold; a descriptor among them stays open over exec.
class Words {
  public:
    void text(const char* name, std::string_view value) { words_.push_back(cat(name, "=", value)); }
    void number(const char* name, int64_t value) { words_.push_back(cat(name, "=", value)); }
    void fd(const char* name, const Fd& fd) {
        if (!fd) return;
        fcntl(fd.get(), F_SETFD, 0);
        number(name, fd.get());
    }
    std::vector<char*> argv() {
        std::vector<char*> out;
        for (std::string& word : words_) out.push_back(word.data());
        out.push_back(nullptr);
        return out;
    }

  private:
    std::vector<std::string> words_{"croft-hold"};
};

}  // namespace

Result<Fd> listen_attach(int directory) {
    Fd fd = TRY(seqpacket());
    sockaddr_un address = attach_address(directory);
    unlinkat(directory, "attach", 0);
    // Only the owner may type into a machine's console.
    mode_t before = umask(0177);
    int bound = bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    umask(before);
    if (bound < 0) return os_error(errno, "binding the attach socket");
    if (listen(fd.get(), 4) < 0) return os_error(errno, "listening for terminals");
    return fd;
}

Result<Fd> connect_attach(int directory) {
    Fd fd = TRY(seqpacket());
    sockaddr_un address = attach_address(directory);
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            return error(Errc::wrong_state, "it has no console to attach to (start it with -t, or as a boot in the background)");
        return os_error(errno, "connecting to the machine's console");
    }
    return fd;
}

Result<Fd> receive_console(int connection) {
    char answer = 0;
    iovec data = {&answer, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message = {};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t n;
    do n = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0) return os_error(errno, "asking for the console");
    if (n == 1 && answer == hold_busy) return error(Errc::busy, "another terminal is attached to its console; detach that one first");
    cmsghdr* c = n == 1 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) return error(Errc::wrong_state, "the machine has ended, or has no console");
    int fd;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return Fd(fd);
}

Error become_hold(Launched&& launched, HoldOptions&& options) {
    Words words;
    words.text("name", options.name);
    words.text("croft", options.croft);
    words.number("pid", launched.pid);
    words.fd("pidfd", launched.pidfd);
    words.fd("dir", options.directory);
    words.fd("console", launched.console);
    words.fd("out", options.output);
    words.fd("err", options.errors);
    words.fd("notify", launched.notify);
    Fd listen;
    if (launched.console) {
        Result<Fd> made = listen_attach(options.directory.get());
        if (!made) return std::move(made).error();
        listen = std::move(*made);
    }
    words.fd("listen", listen);
    words.fd("cgroup", launched.cgroup);
    words.fd("cgparent", launched.cgroup_parent);
    if (launched.cgroup) words.text("cgname", launched.cgroup_name);
    words.number("boot", options.boot);
    words.number("cleanup", options.has_cleanup);
    words.number("logmax", static_cast<int64_t>(options.log_limit));
    if (options.lock) fcntl(options.lock.get(), F_SETFD, 0);
    std::string program = cat(options.helper_directory, "/croft-hold");
    std::vector<char*> argv = words.argv();
    // An empty environment: nothing of the caller's stays in a process that lives as long as the machine.
    char* environment[] = {nullptr};
    execve(program.c_str(), argv.data(), environment);
    return os_error(errno, cat("executing '", program, "'"));
}

}  // namespace croft::run
