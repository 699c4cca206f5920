#include "manager/guest_ids.h"

#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

namespace croft::manager {
namespace {

Result<std::vector<GuestIds::Map>> read_map(const std::string& path) {
    std::string text = TRY(read_file_at(AT_FDCWD, path.c_str()));
    std::vector<GuestIds::Map> out;
    for (const std::string& line : split(text, '\n')) {
        std::vector<uint32_t> numbers;
        for (const std::string& word : split(line, ' '))
            if (auto number = parse_uint(word); number && *number <= UINT32_MAX)
                numbers.push_back(static_cast<uint32_t>(*number));
        if (numbers.size() == 3) out.push_back({numbers[0], numbers[1], numbers[2]});
    }
    return out;
}

void raise_capabilities() {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    if (syscall(SYS_capget, &header, data) < 0) return;
    for (auto& half : data) half.effective = half.permitted;
    syscall(SYS_capset, &header, data);
}

std::optional<uint32_t> translate(uint32_t id, uint32_t from, uint32_t to, uint32_t count) {
    if (id < from || id - from >= count) return std::nullopt;
    return to + (id - from);
}

}  // namespace

std::optional<uint32_t> GuestIds::to_outside(const std::vector<Map>& maps, uint32_t inside) {
    for (const Map& map : maps)
        if (auto id = translate(inside, map.inside, map.outside, map.count)) return id;
    return std::nullopt;
}

std::optional<uint32_t> GuestIds::to_inside(const std::vector<Map>& maps, uint32_t outside) {
    for (const Map& map : maps)
        if (auto id = translate(outside, map.outside, map.inside, map.count)) return id;
    return std::nullopt;
}

Result<GuestIds> read_guest_ids(int pid) {
    GuestIds ids;
    ids.uids = TRY(read_map(cat("/proc/", pid, "/uid_map")).within("reading the machine's id map"));
    ids.gids = TRY(read_map(cat("/proc/", pid, "/gid_map")).within("reading the machine's id map"));
    return ids;
}

ActAs::ActAs(const GuestIds& ids) {
    gid_ = setfsgid(GuestIds::to_outside(ids.gids, 0).value_or(0));
    uid_ = setfsuid(GuestIds::to_outside(ids.uids, 0).value_or(0));
    raise_capabilities();
}

ActAs::~ActAs() {
    setfsuid(static_cast<uid_t>(uid_));
    setfsgid(static_cast<gid_t>(gid_));
}

}  // namespace croft::manager
