// Users of a bundle: the maps of config.json, or of the user namespace that it joins, or none. Its root directory is
// taken as it is: whoever made the bundle has seen to its owners.
#include "plan/draft.h"

namespace croft::plan {

namespace {

// Who is root in a user namespace only has its ids to give, and no others.
Result<> check_given(std::string_view member, const std::vector<spec::IdMapping>& maps, const std::vector<spec::IdMapping>& own) {
    for (const spec::IdMapping& map : maps) {
        const uint64_t end = uint64_t{map.outside} + map.count;
        bool given = false;
        for (const spec::IdMapping& range : own)
            given = given || (map.outside >= range.inside && end <= uint64_t{range.inside} + range.count);
        if (given) continue;
        return error(Errc::denied, cat(member, ": the ids ", map.outside, " to ", end - 1, " of the host are not all the caller's: a "
                                       "user has its own id, and what newuidmap and newgidmap find in /etc/subuid and /etc/subgid"));
    }
    return {};
}

}  // namespace

Result<> plan_bundle_users(Draft& d) {
    const spec::UserNamespace& users = d.spec.users;
    if (!d.facts.admin)
        return error(Errc::denied,
                     "making containers needs root, or a user namespace in which the caller is root "
                     "(CAP_SYS_ADMIN)");
    const bool joined = !users.path.empty();
    d.private_users = joined || users.mode == spec::UserNamespace::Mode::maps;
    if (!d.private_users) return {};
    if (!d.facts.privileged && !joined) {
        TRY(check_given("linux.uidMappings", users.uid_maps, d.facts.own_uid_maps));
        TRY(check_given("linux.gidMappings", users.gid_maps, d.facts.own_gid_maps));
    }
    d.launch.uid_maps = id_maps(joined ? d.facts.user_uid_maps : users.uid_maps);
    d.launch.gid_maps = id_maps(joined ? d.facts.user_gid_maps : users.gid_maps);
    const auto root = std::pair(d.host_uid(0), d.host_gid(0));
    const std::string_view where = joined ? "the user namespace to join" : "linux.uidMappings or linux.gidMappings";
    if (!root.first || !root.second)
        return error(Errc::invalid, cat(where, " has no id for the container's root (0)"));
    d.root_uid = *root.first, d.root_gid = *root.second;
    const auto [uid, gid] = d.spec.process.user.ids.value_or(std::pair(0u, 0u));
    if (!d.host_uid(uid) || !d.host_gid(gid))
        return error(Errc::invalid, cat("process.user: ", uid, ":", gid, " is not among the ids of ", where));
    return {};
}

}  // namespace croft::plan
