// Binds: a path of the host, or of the tree, at another place inside.
#include "plan/user_mounts.h"

namespace croft::plan {

std::vector<launch::IdMap> id_maps(const std::vector<spec::IdMapping>& maps) {
    std::vector<launch::IdMap> out;
    for (const spec::IdMapping& map : maps) out.push_back({map.inside, map.outside, map.count});
    return out;
}

launch::Slot make_userns(Draft& d, std::vector<launch::IdMap> uids, std::vector<launch::IdMap> gids) {
    launch::MakeUserns step{d.new_slot(), std::move(uids), std::move(gids)};
    launch::Slot slot = step.slot;
    d.host(std::move(step));
    return slot;
}

namespace {

using launch::Slot;
using spec::BindIds;
using spec::Mount;

// The source's owner is seen as one user inside; everybody else's files belong to nobody.
Result<Slot> owner_map(Draft& d, const Mount& mount, std::pair<uint32_t, uint32_t> inside) {
    auto owner = d.facts.path_owners.find(mount.source);
    auto uid = d.host_uid(inside.first), gid = d.host_gid(inside.second);
    if (owner == d.facts.path_owners.end() || !uid || !gid)
        return error(Errc::failed,
                     cat(option_of(mount), ": the owner of ", quoted(mount.source), " is not known"));
    return make_userns(d, {{owner->second.first, *uid, 1}}, {{owner->second.second, *gid, 1}});
}

// Which user namespace maps the ids of this bind; none when its files shall look as they are.
Result<Slot> map_of(Draft& d, const Mount& mount) {
    if (!mount.uid_mappings.empty()) return make_userns(d, id_maps(mount.uid_mappings), id_maps(mount.gid_mappings));
    switch (mount.ids) {
        case BindIds::none:
            return launch::no_slot;
        case BindIds::automatic:
        case BindIds::idmap:
            // Host ids 0… are seen as the machine's 0…, as in the tree. With maps onto the same ids there
            // is nothing to map.
            if (!d.private_users || (d.root_uid == 0 && d.root_gid == 0)) return launch::no_slot;
            return d.idmap();
        case BindIds::root_idmap:
            return owner_map(d, mount, {0, 0});
        case BindIds::owner_idmap: {
            auto owner = d.facts.tree.target_owners.find(mount.target);
            return owner_map(
                d, mount,
                owner == d.facts.tree.target_owners.end() ? std::pair<uint32_t, uint32_t>() : owner->second);
        }
    }
    return launch::no_slot;
}

}  // namespace

Result<> plan_bind(Draft& d, const Mount& mount) {
    launch::OpenTree tree{.slot = 0, .path = mount.source, .recursive = mount.recursive};
    MountFlags flags = mount_flags(mount.options);
    if (!flags.rest.empty())
        return error(Errc::invalid,
                     cat(option_of(mount), ": ", quoted(flags.rest[0]), " is no option of a bind"));
    tree.attr = {flags.set | (mount.writable ? 0 : attr::ro), flags.clear,
                 propagation_bits(mount.propagation)};
    auto create = launch::Create::like_source;
    bool inside = mount.source.starts_with('+');
    if (inside) {
        // A part of the tree has the tree's id map already.
        tree.path = mount.source.substr(1);
        tree.base = d.root;
    } else if (mount.source.empty()) {
        tree.path = TRY(fresh_directory(d, "bind"));
    } else {
        TRY(check_source(d, mount, mount.source));
        tree.idmap = TRY(map_of(d, mount));
    }
    tree.slot = d.new_slot();
    Slot slot = tree.slot;
    inside ? d.stage(std::move(tree)) : d.host(std::move(tree));
    d.stage(d.attach(slot, mount.target, create));
    return {};
}

}  // namespace croft::plan
