#include "manager/host_words.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/fd.h"
#include "base/text.h"

namespace croft::manager {

namespace {
std::string first_line(const char* path) {
    auto text = read_file_at(AT_FDCWD, path);
    return text ? std::string(trim(*text)) : "";
}

// The value of NAME in os-release text, without its quotes.
std::string os_value(std::string_view text, std::string_view name) {
    for (const std::string& line : split(text, '\n')) {
        if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != '=') continue;
        std::string_view value = trim(std::string_view(line).substr(name.size() + 1));
        if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0])
            value = value.substr(1, value.size() - 2);
        return std::string(value);
    }
    return "";
}

std::string variable(const char* name, std::string fallback) {
    const char* value = getenv(name);
    return value && *value ? value : fallback;
}

// Of a user's own machines the directories are the user's (systemd.unit(5), table of specifiers).
void user_words(dialect::Specifiers& out) {
    out.uid = cat(getuid());
    out.user = variable("USER", out.uid);
    out.home = variable("HOME", "/");
    if (geteuid() == 0) return;
    out.runtime_directory = variable("XDG_RUNTIME_DIR", cat("/run/user/", out.uid));
    out.state_directory = variable("XDG_STATE_HOME", out.home + "/.local/state");
    out.cache_directory = variable("XDG_CACHE_HOME", out.home + "/.cache");
}
}  // namespace

dialect::Specifiers host_specifiers() {
    dialect::Specifiers out;
    utsname name{};
    uname(&name);
    out.host_name = name.nodename;
    out.kernel = name.release;
    out.architecture = name.machine;
    out.machine_id = first_line("/etc/machine-id");
    out.boot_id = first_line("/proc/sys/kernel/random/boot_id");
    std::erase(out.boot_id, '-');
    auto release = read_file_at(AT_FDCWD, "/etc/os-release");
    if (!release) release = read_file_at(AT_FDCWD, "/usr/lib/os-release");
    if (release) {
        out.os_id = os_value(*release, "ID");
        out.os_version_id = os_value(*release, "VERSION_ID");
    }
    user_words(out);
    return out;
}

dialect::SeccompHost host_of_profiles() {
    dialect::SeccompHost out;
    utsname name{};
    uname(&name);
    out.architecture = name.machine;
    char* end = nullptr;
    out.kernel_major = static_cast<int>(strtol(name.release, &end, 10));
    if (end && *end == '.') out.kernel_minor = static_cast<int>(strtol(end + 1, nullptr, 10));
    return out;
}

}  // namespace croft::manager
