#include "host/sources.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/text.h"

namespace croft::host {
namespace {

void ask_path(const std::string& path, spec::HostFacts& facts) {
    struct stat st = {};
    if (!path.starts_with('/') || stat(path.c_str(), &st) < 0) return;
    facts.path_is_directory[path] = S_ISDIR(st.st_mode);
    facts.path_owners[path] = {st.st_uid, st.st_gid};
}

void ask_device(const std::string& path, spec::HostFacts& facts) {
    struct stat st = {};
    if (!path.starts_with('/') || stat(path.c_str(), &st) < 0) return;
    if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)) return;
    spec::DeviceFacts& device = facts.devices[path];
    device.type = S_ISCHR(st.st_mode) ? 'c' : 'b';
    device.major = major(st.st_rdev), device.minor = minor(st.st_rdev);
    device.mode = st.st_mode & 07777, device.uid = st.st_uid, device.gid = st.st_gid;
}

// "char-pts", "block-loop": the majors of a class, as DeviceAllow= of systemd.resource-control(5) has them.
void ask_device_class(const std::string& name, spec::HostFacts& facts) {
    bool block = name.starts_with("block-");
    if (!block && !name.starts_with("char-")) return;
    auto text = read_file_at(AT_FDCWD, "/proc/devices", 1 << 16);
    if (!text) return;
    std::string_view wanted = std::string_view(name).substr(name.find('-') + 1);
    std::vector<uint32_t>& majors = facts.device_classes[name];
    bool in_block = false;
    for (const std::string& line : split(*text, '\n')) {
        if (line.starts_with("Block")) in_block = true;
        std::string_view row = trim(line);
        size_t space = row.find(' ');
        if (in_block != block || space == row.npos || (wanted != "*" && row.substr(space + 1) != wanted))
            continue;
        if (auto number = parse_uint(row.substr(0, space))) majors.push_back(static_cast<uint32_t>(*number));
    }
}

// The kernel's own numbers of the nodes that every machine has (Documentation/admin-guide/devices.txt): no
// need to ask.
void add_standard_devices(spec::HostFacts& facts) {
    constexpr struct {
        const char* path;
        uint32_t major, minor;
    } table[] = {{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
                 {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};
    for (const auto& row : table) facts.devices[row.path] = {'c', row.major, row.minor, 0666, 0, 0};
}

}  // namespace

void ask_sources(const spec::MachineSpec& spec, spec::HostFacts& facts) {
    for (const spec::Mount& mount : spec.mounts) {
        if (mount.kind == spec::Mount::Kind::bind) ask_path(mount.source, facts);
        for (const std::string& layer : mount.layers) ask_path(layer, facts);
    }
    add_standard_devices(facts);
    for (const spec::Device& device : spec.devices) {
        ask_device(device.path, facts);
        ask_device_class(device.path, facts);
    }
    for (const auto& limit : spec.resources.io_max) ask_device(limit.first, facts);
    if (spec.mode == spec::Mode::boot)
        for (const char* path : {"/dev/net/tun", "/dev/fuse"}) ask_device(path, facts);
}

void ask_target_owners(int root, const spec::MachineSpec& spec, spec::TreeFacts& facts) {
    for (const spec::Mount& mount : spec.mounts) {
        if (mount.ids != spec::BindIds::owner_idmap) continue;
        auto target = open_in_root(root, mount.target.c_str(), O_PATH);
        struct stat st = {};
        if (target && fstat(target->get(), &st) == 0)
            facts.target_owners[mount.target] = {st.st_uid, st.st_gid};
    }
}

}  // namespace croft::host
