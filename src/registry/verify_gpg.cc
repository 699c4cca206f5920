// Signatures by GPG, with gpgv, which believes exactly the keys it is given (signatures.h).
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/fd.h"
#include "base/remove_tree.h"
#include "base/scope.h"
#include "base/text.h"
#include "registry/base64.h"
#include "registry/run_helper.h"
#include "registry/signatures.h"

namespace croft::registry {

namespace {
// gpgv reads no armour (RFC 9580, 6.2): several blocks in one file become one keyring.
Result<std::string> without_armour(std::string_view key) {
    constexpr std::string_view begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----", end = "-----END PGP PUBLIC KEY BLOCK-----";
    if (key.find(begin) == key.npos) return std::string(key);
    std::string out;
    for (size_t at = key.find(begin); at != key.npos; at = key.find(begin, at + 1)) {
        size_t stop = key.find(end, at);
        if (stop == key.npos) return error(Errc::invalid, "a block of its armour has no end");
        std::string_view block = key.substr(at + begin.size(), stop - at - begin.size());
        // Headers end at an empty line; the checksum is the line that begins with '='.
        std::string data;
        bool in_headers = true;
        for (const std::string& raw : split(block.substr(block.find('\n') + 1), '\n')) {
            std::string line(trim(raw));
            if (in_headers && (line.empty() || line.find(": ") == line.npos)) in_headers = false;
            if (!in_headers && !line.starts_with('=')) data += line;
        }
        auto bytes = from_base64(data);
        if (!bytes) return error(Errc::invalid, "its armour is damaged");
        out += *bytes;
    }
    return out;
}

Result<> write_private(int directory, const char* name, std::string_view bytes) {
    Fd file = TRY(open_at(directory, name, O_WRONLY | O_CREAT | O_EXCL, 0600));
    return write_all(file.get(), bytes);
}

std::string reason_of(const std::string& status) {
    if (status.find("[GNUPG:] NO_PUBKEY") != status.npos) return "it was made by another key";
    if (status.find("[GNUPG:] BADSIG") != status.npos) return "it does not fit to what it signs";
    if (status.find("[GNUPG:] EXPKEYSIG") != status.npos || status.find("[GNUPG:] EXPSIG") != status.npos)
        return "it or its key has expired";
    if (status.find("[GNUPG:] REVKEYSIG") != status.npos) return "its key has been revoked";
    return "it is no signature that gpgv understands";
}
}  // namespace

Result<std::string> verify_with_gpg(const std::vector<std::string>& keys, const std::string& message) {
    char place[] = "/tmp/croft-gpg-XXXXXX";
    if (!mkdtemp(place)) return os_error(errno, "making a directory for gpgv");
    std::string directory = place;
    OnExit remove([&] { (void)remove_tree_at(AT_FDCWD, directory.c_str()); });
    Fd dir = TRY(open_at(AT_FDCWD, place, O_RDONLY | O_DIRECTORY));
    std::string ring;
    for (const std::string& key : keys) ring += TRY(without_armour(key));
    TRY(write_private(dir.get(), "ring", ring));
    TRY(write_private(dir.get(), "message", message));
    HelperAnswer answer =
        TRY(run_helper({"gpgv", "--homedir", directory, "--status-fd", "1", "--keyring", directory + "/ring",
                        "--output", directory + "/payload", directory + "/message"},
                       ""));
    bool good = !answer.status && answer.output.find("[GNUPG:] GOODSIG") != std::string::npos &&
                answer.output.find("[GNUPG:] VALIDSIG") != std::string::npos;
    if (!good) return error(Errc::denied, reason_of(answer.output));
    return read_file_at(dir.get(), "payload");
}

}  // namespace croft::registry
