// Users of a bundle: the maps of config.json, or of the user namespace that it joins, or none. Its root directory is
// taken as it is: whoever made the bundle has seen to its owners.
#include "plan/draft.h"

namespace croft::plan {

Result<> plan_bundle_users(Draft& d) {
    const spec::UserNamespace& users = d.spec.users;
    if (!d.facts.admin)
        return error(Errc::denied,
                     "making containers needs root, or a user namespace in which the caller is root "
                     "(CAP_SYS_ADMIN)");
    const bool joined = !users.path.empty();
    d.private_users = joined || users.mode == spec::UserNamespace::Mode::maps;
    if (!d.private_users) return {};
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
