#include "registry/certificates.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/fd.h"
#include "base/scope.h"
#include "base/text.h"

namespace croft::registry {

namespace {
std::vector<std::string> candidates(const std::string& host) {
    std::vector<std::string> out;
    const char* home = getenv("HOME");
    const char* config = getenv("XDG_CONFIG_HOME");
    if (config && *config) out.push_back(cat(config, "/containers/certs.d/", host));
    else if (home && *home) out.push_back(cat(home, "/.config/containers/certs.d/", host));
    out.push_back(cat("/etc/containers/certs.d/", host));
    out.push_back(cat("/etc/docker/certs.d/", host));
    return out;
}

Result<std::vector<std::string>> names_in(const std::string& directory) {
    DIR* dir = opendir(directory.c_str());
    if (!dir) return os_error(errno, cat("reading ", quoted(directory)));
    OnExit close([&] { closedir(dir); });
    std::vector<std::string> out;
    while (dirent* entry = readdir(dir)) out.emplace_back(entry->d_name);
    std::ranges::sort(out);
    return out;
}

Result<TlsOptions> read_directory(const std::string& directory) {
    TlsOptions out;
    std::vector<std::string> names = TRY(names_in(directory));
    auto there = [&](const std::string& name) { return std::ranges::find(names, name) != names.end(); };
    for (const std::string& name : names) {
        std::string path = cat(directory, "/", name), stem = name.substr(0, name.rfind('.'));
        if (name.ends_with(".crt")) {
            out.authorities += TRY(read_file_at(AT_FDCWD, path.c_str()).within(path)) + "\n";
        } else if (name.ends_with(".cert")) {
            if (!there(stem + ".key"))
                return error(Errc::invalid, cat(quoted(path), " has no key beside it (", stem,
                                                ".key); authorities end in .crt"));
            out.certificate = path, out.key = cat(directory, "/", stem, ".key");
        } else if (name.ends_with(".key") && !there(stem + ".cert")) {
            return error(Errc::invalid, cat(quoted(path), " has no certificate beside it (", stem, ".cert)"));
        }
    }
    return out;
}
}  // namespace

Result<TlsOptions> find_certificates(const std::string& host, const PlaceOptions& options) {
    if (!options.cert_dir.empty()) return read_directory(options.cert_dir).within("--cert-dir");
    for (const std::string& directory : candidates(host))
        if (access(directory.c_str(), R_OK | X_OK) == 0) return read_directory(directory);
    return TlsOptions{};
}

}  // namespace croft::registry
