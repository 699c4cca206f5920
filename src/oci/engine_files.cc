#include "oci/engine_files.h"

#include <unistd.h>

#include <cstdlib>

#include "base/text.h"
#include "oci/sockets.h"

namespace croft::oci {

namespace {
// Written as a whole: whoever watches for the file reads the number.
Result<> write_pid_file(const std::string& path, pid_t pid) {
    size_t slash = path.rfind('/');
    Fd directory = TRY(open_at(AT_FDCWD, slash == path.npos ? "." : path.substr(0, slash + 1).c_str(),
                               O_RDONLY | O_DIRECTORY)
                           .within("--pid-file"));
    return replace_file_at(directory.get(), path.substr(slash == path.npos ? 0 : slash + 1).c_str(), cat(pid))
        .within(cat("--pid-file ", quoted(path)));
}
}  // namespace

EngineFiles::EngineFiles(const Flags& flags)
    : console_path_(flags.text("--console-socket")),
      pidfd_path_(flags.text("--pidfd-socket")),
      pid_file_(flags.text("--pid-file")) {}

Result<> EngineFiles::check(bool terminal, bool detached, const char* where) const {
    bool socket = !console_path_.empty();
    if (terminal && detached && !socket)
        return error(Errc::invalid, cat(where, " asks for a terminal, and nobody would have it: give --console-socket, or do "
                                               "not detach"));
    if (socket && !terminal)
        return error(Errc::invalid, cat("--console-socket is for a process with a terminal, and ", where, " asks for none"));
    if (socket && !detached)
        return error(Errc::usage, "--console-socket is for a process that is detached: here this command has the terminal");
    return {};
}

Result<> EngineFiles::connect() {
    if (!console_path_.empty()) console_ = TRY(connect_socket(console_path_, "--console-socket"));
    if (!pidfd_path_.empty()) pidfd_ = TRY(connect_socket(pidfd_path_, "--pidfd-socket"));
    return {};
}

Result<> EngineFiles::hand_over(const run::Launched& launched) const {
    if (console_) TRY(send_descriptor(console_.get(), "/dev/ptmx", launched.console.get(), "--console-socket"));
    if (pidfd_) TRY(send_descriptor(pidfd_.get(), "pidfd", launched.pidfd.get(), "--pidfd-socket"));
    if (!pid_file_.empty()) TRY(write_pid_file(pid_file_, launched.pid));
    return {};
}

unsigned passed_sockets() {
    const char* count = getenv("LISTEN_FDS");
    const char* pid = getenv("LISTEN_PID");
    auto number = count && pid && parse_int(pid) == getpid() ? parse_uint(count) : std::nullopt;
    return number && *number <= 1 << 16 ? static_cast<unsigned>(*number) : 0;
}

Result<unsigned> preserved_descriptors(const Flags& flags) {
    auto number = TRY(flags.number("--preserve-fds")).value_or(0);
    if (number >= 0 && number <= 1 << 16) return static_cast<unsigned>(number);
    return error(Errc::usage, cat("--preserve-fds: ", number, " is no number of descriptors"));
}

}  // namespace croft::oci
