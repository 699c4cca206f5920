#include "plan/draft.h"

#include <sys/mount.h>

namespace croft::plan {

using launch::Slot;

std::optional<uint32_t> Draft::translate(const std::vector<launch::IdMap>& maps, uint32_t inside) const {
    if (!private_users) return inside;
    for (const launch::IdMap& map : maps)
        if (inside >= map.inside && inside - map.inside < map.count)
            return map.outside + (inside - map.inside);
    return std::nullopt;
}

Slot Draft::idmap() {
    if (idmap_ == launch::no_slot) {
        idmap_ = new_slot();
        host(launch::MakeUserns{.slot = idmap_});
    }
    return idmap_;
}

Result<Slot> Draft::scratch() {
    if (scratch_ != launch::no_slot) return scratch_;
    if (facts.scratch_directory.empty())
        return error(Errc::failed, "no place was given for the throwaway files that this machine needs");
    scratch_ = new_slot();
    host(launch::OpenTree{
        .slot = scratch_, .path = facts.scratch_directory, .attr = {.propagation = MS_PRIVATE}});
    launch.cleanup.remove_trees.push_back(facts.scratch_directory);
    return scratch_;
}

Slot Draft::tmpfs(std::string_view mode, std::vector<std::pair<std::string, std::string>> options,
                  uint64_t attributes) {
    options.insert(options.begin(), {"mode", std::string(mode)});
    // The launcher mounts it, so the ids are the host's; the payload cannot change the size of what it does
    // not own.
    if (root_uid != 0) options.emplace_back("uid", cat(root_uid));
    if (root_gid != 0) options.emplace_back("gid", cat(root_gid));
    Slot slot = new_slot();
    host(launch::MakeFs{slot, "tmpfs", "croft", std::move(options), attributes});
    return slot;
}

std::string machine_uuid(const Draft& d) {
    std::string uuid = d.spec.integration.uuid.empty() ? d.facts.random_uuid : d.spec.integration.uuid;
    if (uuid.size() != 32) return uuid;
    std::string_view hex = uuid;
    return cat(hex.substr(0, 8), '-', hex.substr(8, 4), '-', hex.substr(12, 4), '-', hex.substr(16, 4), '-',
               hex.substr(20));
}

MountFlags mount_flags(const std::vector<std::string>& options) {
    struct Row {
        const char* name;
        uint64_t set, clear;
        uint64_t unless = 0;  // of no effect when this is set
    };
    // Setting an access time mode needs its whole field cleared (mount_setattr(2)). Without another mode it is relatime.
    static constexpr Row rows[] = {
        {"ro", attr::ro, 0},
        {"rw", 0, attr::ro},
        {"nosuid", attr::nosuid, 0},
        {"suid", 0, attr::nosuid},
        {"nodev", attr::nodev, 0},
        {"dev", 0, attr::nodev},
        {"noexec", attr::noexec, 0},
        {"exec", 0, attr::noexec},
        {"noatime", attr::noatime, attr::atime_mask},
        {"relatime", attr::relatime, attr::atime_mask},
        {"strictatime", attr::strictatime, attr::atime_mask},
        {"atime", attr::relatime, attr::atime_mask, attr::strictatime},
        {"nostrictatime", attr::relatime, attr::atime_mask, attr::noatime},
        {"norelatime", 0, 0},
        {"nodiratime", attr::nodiratime, 0},
        {"diratime", 0, attr::nodiratime},
        {"nosymfollow", attr::nosymfollow, 0},
        {"symfollow", 0, attr::nosymfollow},
    };
    MountFlags flags;
    for (const std::string& option : options) {
        const Row* row = nullptr;
        for (const Row& candidate : rows)
            if (option == candidate.name) row = &candidate;
        if (!row) {
            flags.rest.push_back(option);
            continue;
        }
        if (flags.set & row->unless) continue;
        flags.set = (flags.set & ~row->clear) | row->set;
        flags.clear = (flags.clear & ~row->set) | row->clear;
    }
    return flags;
}

uint64_t propagation_bits(spec::Propagation propagation) {
    using spec::Propagation;
    switch (propagation) {
        case Propagation::slave:
        case Propagation::rslave:
            return MS_SLAVE;
        case Propagation::shared:
        case Propagation::rshared:
            return MS_SHARED;
        case Propagation::unbindable:
        case Propagation::runbindable:
            return MS_UNBINDABLE;
        case Propagation::unset:
        case Propagation::private_:
        case Propagation::rprivate:
            break;
    }
    return MS_PRIVATE;
}

}  // namespace croft::plan
