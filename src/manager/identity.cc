#include "manager/identity.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/scope.h"
#include "base/text.h"

namespace croft::manager {
namespace {

struct Gone {
    const char* directory;
    const char* name;
};
constexpr Gone gone[] = {{"var/lib/dbus", "machine-id"},
                         {"var/lib/systemd", "random-seed"},
                         {"var/lib/systemd", "credential.secret"},
                         {"var/lib/urandom", "random-seed"},
                         {"var/lib/seedrng", "seed.credit"},
                         {"var/lib/seedrng", "seed.no-credit"}};

Result<> remove_in(int root, const char* directory, const char* name) {
    auto parent = open_in_root(root, directory, O_RDONLY | O_DIRECTORY);
    if (!parent) return {};
    struct stat st = {};
    // /var/lib/dbus/machine-id is a link to the one in /etc as a rule, and stays one.
    if (fstatat(parent->get(), name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode)) return {};
    if (unlinkat(parent->get(), name, 0) < 0) return os_error(errno, cat("removing ", directory, "/", name));
    return {};
}

Result<> remove_host_keys(int root) {
    auto directory = open_in_root(root, "etc/ssh", O_RDONLY | O_DIRECTORY);
    if (!directory) return {};
    DIR* stream = fdopendir(dup(directory->get()));
    if (!stream) return os_error(errno, "reading etc/ssh");
    std::vector<std::string> keys;
    while (dirent* entry = readdir(stream)) {
        std::string_view name = entry->d_name;
        if (name.starts_with("ssh_host_") && (name.ends_with("_key") || name.ends_with("_key.pub"))) keys.emplace_back(name);
    }
    closedir(stream);
    for (const std::string& key : keys)
        if (unlinkat(directory->get(), key.c_str(), 0) < 0) return os_error(errno, cat("removing etc/ssh/", key));
    return {};
}

Result<> empty_machine_id(int root) {
    auto etc = open_in_root(root, "etc", O_RDONLY | O_DIRECTORY);
    struct stat st = {};
    if (!etc || fstatat(etc->get(), "machine-id", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode)) return {};
    Fd file = TRY(open_at(etc->get(), "machine-id", O_WRONLY | O_TRUNC | O_NOFOLLOW));
    return {};
}

}  // namespace

Result<> forget_identity(int root) {
    TRY(empty_machine_id(root));
    TRY(remove_host_keys(root));
    for (const Gone& file : gone) TRY(remove_in(root, file.directory, file.name));
    return {};
}

}  // namespace croft::manager
