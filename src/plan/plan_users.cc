// Users: whose ids the payload's are on the host, and how the tree's owners look from inside.
#include "plan/draft.h"

namespace croft::plan {

namespace {

using Mode = spec::UserNamespace::Mode;
using Ownership = spec::UserNamespace::Ownership;

constexpr uint32_t range = 65536;

Mode effective_mode(const Draft& d) {
    if (d.spec.users.mode != Mode::automatic) return d.spec.users.mode;
    // Who is not root is fenced by a user namespace already: the one that the launcher makes for itself.
    return d.facts.privileged ? Mode::pick : Mode::no;
}

Result<> check_maps(const std::vector<launch::IdMap>& maps, std::string_view what) {
    for (const launch::IdMap& map : maps)
        if (map.inside == 0 && map.count > 0) return {};
    return error(Errc::invalid,
                 cat("the ", what, " map of the private users gives no id to the machine's root (0)"));
}

Result<> choose_maps(Draft& d, Mode mode) {
    const spec::UserNamespace& users = d.spec.users;
    auto both = [&](uint32_t base, uint32_t count) {
        d.launch.uid_maps = d.launch.gid_maps = {{0, base, count}};
    };
    switch (mode) {
        case Mode::identity:
            both(0, range);
            return {};
        case Mode::fixed:
            both(users.base, users.count);
            return {};
        case Mode::maps:
            d.launch.uid_maps = id_maps(users.uid_maps);
            d.launch.gid_maps = id_maps(users.gid_maps);
            TRY(check_maps(d.launch.uid_maps, "uid"));
            return check_maps(d.launch.gid_maps, "gid");
        default:
            break;
    }
    if (!d.facts.id_base)
        return error(Errc::failed, "no range of ids was chosen for the machine's private users");
    both(*d.facts.id_base, range);
    return {};
}

// An idmapped mount shows the tree's ids 0… as the machine's own: nothing on disk is ever changed. A tree
// whose owner is the machine's root already (a "shifted" tree) is taken as it is.
Result<> choose_ownership(Draft& d) {
    if (d.spec.users.ownership == Ownership::chown)
        return error(Errc::unsupported,
                     "PrivateUsersOwnership=chown is not available: croft never changes the owners of a "
                     "tree; use map");
    bool shifted = d.facts.tree.owner_uid == d.root_uid;
    d.map_tree = d.spec.users.ownership == Ownership::map ||
                 (d.spec.users.ownership == Ownership::automatic && !shifted);
    if (d.root_uid == 0 && d.root_gid == 0 && d.spec.users.ownership != Ownership::map) d.map_tree = false;
    if (!d.map_tree) return {};
    if (!d.facts.has_idmap)
        return error(Errc::unsupported,
                     "private users need mounts with mapped ids, which Linux has since 5.12: use "
                     "--private-users=no, or a newer kernel");
    if (!d.facts.tree.idmap_supported)
        return error(Errc::unsupported,
                     cat("the file system of the tree ", quoted(d.spec.root.directory),
                         " cannot be mounted with mapped ids, which private users need: put the tree on "
                         "ext4, xfs, btrfs "
                         "or tmpfs, or give up the fence of private users with --private-users=no"));
    bool layered = d.spec.root.ephemeral || !d.spec.root.layers.empty() || d.spec.root.volatile_mode == spec::Volatile::overlay;
    if (layered && (d.facts.kernel_major < 5 || (d.facts.kernel_major == 5 && d.facts.kernel_minor < 19)))
        return error(Errc::unsupported,
                     "an overlay over mapped ids, which images, --ephemeral and --volatile need, needs Linux "
                     "5.19: use --private-users=no here");
    return {};
}

}  // namespace

Result<> plan_users(Draft& d) {
    Mode mode = effective_mode(d);
    if (mode == Mode::no) {
        if (d.facts.privileged)
            d.warn(
                "without private users root inside is root of the host: only capabilities, the system call "
                "filter and the device policy fence it");
        return {};
    }
    if (!d.facts.privileged)
        return error(Errc::denied,
                     "a range of private users needs root: without --private-users the machine's root is "
                     "the calling user");
    d.private_users = true;
    TRY(choose_maps(d, mode));
    d.root_uid = *d.host_uid(0);
    d.root_gid = *d.host_gid(0);
    TRY(choose_ownership(d));
    const spec::TreeFacts& tree = d.facts.tree;
    if (!d.host_uid(tree.uid) || !d.host_gid(tree.gid))
        return error(Errc::invalid,
                     cat("--user: ", tree.uid, ":", tree.gid,
                         " is outside the ids of the machine's private users: give it a larger range "
                         "(--private-users=BASE:COUNT)"));
    return {};
}

}  // namespace croft::plan
