#include "run/hold.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/text.h"
#include "kernel/local_socket.h"
#include "run/hold_protocol.h"

namespace croft::run {

namespace {

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
    return kernel::listen_local(directory, "attach");
}

Result<Fd> connect_attach(int directory) {
    auto socket = kernel::connect_local(directory, "attach");
    if (!socket && socket.error().code == Errc::not_found)
        return error(Errc::wrong_state,
                     "it has no console to attach to (one that is started with -t, or booted, has)");
    return socket;
}

Result<Fd> receive_console(int connection) {
    std::vector<Fd> descriptors;
    std::string kind =
        TRY(kernel::receive_descriptors(connection, 1, descriptors).within("asking the machine's keeper for its console"));
    if (kind == std::string(1, hold_busy)) return error(Errc::busy, "another terminal is attached to this machine");
    if (kind == std::string(1, hold_console) && !descriptors.empty()) return std::move(descriptors[0]);
    return error(Errc::wrong_state, "the machine has just ended");
}

Result<> send_console(int connection, int console) {
    return kernel::send_descriptors(connection, std::string(1, hold_console), {&console, 1})
        .within("handing over the machine's console");
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
