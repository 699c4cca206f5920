#include "manager/own_unit.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "base/text.h"

namespace croft::manager {
namespace {

std::string environment(const char* name) {
    const char* value = getenv(name);
    return value ? value : "";
}

// "0::/machine.slice/croft-web.service/launch" without what is below the unit.
std::string group_of_unit(std::string_view path) {
    size_t end = path.find(".service");
    if (end == path.npos) return "";
    // The innermost one: a user's manager is a service itself.
    for (size_t next = end; (next = path.find(".service", next + 1)) != path.npos;) end = next;
    return std::string(path.substr(1, end + 7));
}

}  // namespace

Result<OwnUnit> own_unit() {
    OwnUnit unit;
    std::string groups = TRY(read_file_at(AT_FDCWD, "/proc/self/cgroup", 1 << 16));
    for (const std::string& line : split(groups, '\n'))
        if (line.starts_with("0::/")) unit.cgroup = group_of_unit(std::string_view(line).substr(3));
    unit.name = unit.cgroup.substr(unit.cgroup.rfind('/') + 1);
    unit.invocation = environment("INVOCATION_ID");
    if (!unit.name.starts_with("croft-") && !unit.declared())
        return error(Errc::wrong_state,
                     "this process is in no unit of a machine: systemd starts it, `croft start NAME` asks it to");
    return unit;
}

std::vector<Fd> kept_descriptors() {
    std::vector<Fd> out;
    auto pid = parse_uint(environment("LISTEN_PID")), count = parse_uint(environment("LISTEN_FDS"));
    if (!pid || !count || *pid != static_cast<uint64_t>(getpid()) || *count > 64) return out;
    for (int fd = 3; fd < 3 + static_cast<int>(*count); ++fd) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        out.emplace_back(fd);
    }
    return out;
}

}  // namespace croft::manager
