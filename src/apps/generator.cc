// croft-generator: run by systemd at boot and at daemon-reload (systemd.generator(7)) with three directories;
// the first one gets the units of declared machines (manager/generate.h). It runs before nearly everything,
// so it asks no daemon.
//
//   croft-generator NORMAL EARLY LATE
//   croft-generator --refuse NAME       what the unit of a machine with a mistake executes: says it, fails
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/fd.h"
#include "base/text.h"
#include "manager/declared.h"
#include "manager/event_places.h"
#include "manager/generate.h"

using namespace croft;

namespace {

bool is(const char* variable, std::string_view value) {
    const char* text = getenv(variable);
    return text && value == text;
}

bool tell_journal(const std::string& sentence) {
    Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, manager::journal_socket, sizeof manager::journal_socket);
    std::string line = sentence;
    for (char& c : line)
        if (c == '\n') c = ' ';
    std::string entry = cat("PRIORITY=3\nSYSLOG_IDENTIFIER=croft-generator\nMESSAGE=", line, "\n");
    return sendto(socket.get(), entry.data(), entry.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                  reinterpret_cast<sockaddr*>(&address), sizeof address) >= 0;
}

// Where systemd's own generators write: the journal when it is there, the kernel's log before that, and the
// terminal of whoever runs one by hand.
void report(const std::string& sentence) {
    std::string line = cat("croft-generator: ", sentence, "\n");
    bool by_hand = isatty(STDERR_FILENO) || is("SYSTEMD_LOG_TARGET", "console");
    if (by_hand) {
        (void)write_all(STDERR_FILENO, line);
        return;
    }
    if (!is("SYSTEMD_LOG_TARGET", "kmsg") && tell_journal(sentence)) return;
    Fd log(open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (!log || !write_all(log.get(), cat("<3>", line))) (void)write_all(STDERR_FILENO, line);
}

std::string own_path() {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    return std::string(path, n > 0 ? static_cast<size_t>(n) : 0);
}

int refuse(const manager::Paths& paths, const char* name) {
    auto loaded = manager::parse_declared(paths, name);
    std::string text = loaded ? cat("its file has been corrected: `systemctl daemon-reload` makes that count")
                              : loaded.error().text;
    (void)write_all(STDERR_FILENO, cat("machine ", quoted(name), " is not started: ", text, "\n"));
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    auto paths = manager::find_paths();
    if (!paths) {
        report(paths.error().text);
        return 1;
    }
    if (argc == 3 && std::string_view(argv[1]) == "--refuse") return refuse(*paths, argv[2]);
    if (argc < 2 || argv[1][0] != '/') {
        (void)write_all(STDERR_FILENO,
                        "croft-generator is run by systemd: croft-generator NORMAL-DIR EARLY-DIR LATE-DIR\n");
        return 2;
    }
    // Machines of the system are units of the system's manager, and of the real root's.
    if (is("SYSTEMD_SCOPE", "user") || is("SYSTEMD_IN_INITRD", "1")) return 0;
    auto generated = manager::generate_units(*paths, argv[1], own_path());
    if (!generated) {
        report(generated.error().text);
        return 1;
    }
    for (const std::string& mistake : generated->mistakes) report(mistake);
    return 0;
}
