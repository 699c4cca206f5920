#include "manager/init_request.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/fd.h"
#include "base/text.h"
#include "manager/leader.h"

namespace croft::manager {
namespace {

// sysvinit's request, as initreq.h of its sources lays it out: 384 bytes on /run/initctl.
struct InitctlRequest {
    int32_t magic = 0x03091969;
    int32_t command = 1;  // change the run level
    int32_t run_level = '0';
    int32_t sleep_time = 5;
    char reserved[368] = {};
};
static_assert(sizeof(InitctlRequest) == 384);

// Writes to a FIFO of the guest, and to nothing else that it may have put there. Never blocks.
bool write_to_fifo(const Record& record, const char* path, std::string_view data) {
    auto root = open_root(record.leader);
    if (!root) return false;
    auto found = open_in_root(root->get(), path, O_PATH);
    struct stat st = {};
    if (!found || fstat(found->get(), &st) < 0 || !S_ISFIFO(st.st_mode)) return false;
    auto fifo = open_at(AT_FDCWD, cat("/proc/self/fd/", found->get()).c_str(), O_WRONLY | O_NONBLOCK);
    return fifo && write_all(fifo->get(), data);
}

bool ask_sysvinit(const Record& record, Request what) {
    InitctlRequest request;
    request.run_level = what == Request::reboot ? '6' : '0';
    std::string_view bytes(reinterpret_cast<const char*>(&request), sizeof request);
    return write_to_fifo(record, "run/initctl", bytes) || write_to_fifo(record, "dev/initctl", bytes);
}

}  // namespace

Result<> ask_init(const Record& record, int pidfd, Request request) {
    bool reboot = request == Request::reboot;
    // systemd(1) takes glibc's real-time signals, busybox init the ones of its own manual.
    if (record.init_kind == "systemd") return send_signal(pidfd, SIGRTMIN + (reboot ? 5 : 4));
    if (record.init_kind == "busybox") return send_signal(pidfd, reboot ? SIGTERM : SIGUSR2);
    if (record.init_kind == "sysvinit" && ask_sysvinit(record, request)) return {};
    // Without its FIFO, init still takes Ctrl-Alt-Del, which Debian's inittab makes a reboot.
    if (record.init_kind == "sysvinit" && reboot) return send_signal(pidfd, SIGINT);
    if (record.init_kind == "openrc" &&
        write_to_fifo(record, "run/openrc/init.ctl", reboot ? "reboot" : "poweroff"))
        return {};
    if (!reboot) return send_signal(pidfd, static_cast<int>(record.stop_signal));
    return error(Errc::unsupported,
                 cat("the init of machine ", quoted(record.name),
                     " has no way to be told to reboot that croft knows; stop it and boot it again"));
}

}  // namespace croft::manager
