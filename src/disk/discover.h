// Which partitions of a disk are a machine's root, /usr, /home …: the Discoverable Partitions Specification (UAPI.2), and what
// systemd-nspawn(1) --image= takes besides: one Linux partition, or a file system without a table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "disk/file_system.h"
#include "disk/partition_table.h"

namespace croft::disk {

enum class Role { root, usr, home, srv, var, tmp, esp, xbootldr };
const char* role_name(Role role);  // "root", "usr" …

struct Area {
    uint64_t offset = 0, size = 0;  // bytes
};
struct Volume {
    Role role = Role::root;
    unsigned partition = 0;      // its number; 0: the whole disk
    Area area;
    std::optional<Area> verity;  // of the hashes that go with it; only when a root hash was given
    FileSystem file_system;      // of crypto_LUKS, what is inside shows when it is unlocked
    bool read_only = false;      // it cannot be written, or its flag says so
};

struct Layout {
    TableKind kind = TableKind::none;
    std::vector<Volume> volumes;        // root (or usr, where there is none) first
    std::vector<std::string> remarks;   // for people: what was passed over and why
    const Volume* find(Role role) const;
};

struct DiscoverOptions {
    std::string architecture;  // as uname -m says it
    std::string root_hash;     // of dm-verity, hex digits; empty: none
};

// not_found: the disk has nothing a machine could have as its root.
Result<Layout> discover(RandomAccess& disk, const DiscoverOptions& options);

}  // namespace croft::disk
