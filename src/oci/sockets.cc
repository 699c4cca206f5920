#include "oci/sockets.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "kernel/local_socket.h"

namespace croft::oci {

Result<Fd> connect_socket(const std::string& path, const char* flag) {
    const std::string what = cat(flag, ": connecting to ", quoted(path));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    Fd directory;
    std::string name = path;
    if (name.size() >= sizeof address.sun_path) {
        size_t slash = path.rfind('/');
        if (slash == path.npos) return error(Errc::invalid, what + ": the name is too long for a socket");
        directory = TRY(open_at(AT_FDCWD, path.substr(0, slash + 1).c_str(), O_PATH | O_DIRECTORY).within(what));
        name = cat("/proc/self/fd/", directory.get(), path.substr(slash));
        if (name.size() >= sizeof address.sun_path)
            return error(Errc::invalid, what + ": the name is too long for a socket");
    }
    memcpy(address.sun_path, name.data(), name.size());
    Fd out(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!out) return os_error(errno, what);
    int done;
    do done = connect(out.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    while (done < 0 && errno == EINTR);
    if (done < 0) return os_error(errno, what);
    return out;
}

Result<> send_descriptor(int socket, std::string_view bytes, int descriptor, const char* flag) {
    int descriptors[] = {descriptor};
    return kernel::send_descriptors(socket, bytes, descriptors).within(flag);
}

}  // namespace croft::oci
