// Overlays of the user's own: layers of the host or of the tree, and a writable one that stays.
#include <sys/mount.h>

#include "plan/user_mounts.h"

namespace croft::plan {

namespace {

using launch::Slot;
using spec::Mount;

Result<Slot> layer(Draft& d, const Mount& mount, const std::string& path) {
    launch::OpenTree tree{.slot = d.new_slot(), .path = path};
    tree.attr.propagation = MS_PRIVATE;
    Slot slot = tree.slot;
    if (path.starts_with('+')) {
        tree.path = path.substr(1);
        tree.base = d.root;
        d.stage(std::move(tree));
        return slot;
    }
    TRY(check_source(d, mount, path));
    if (d.private_users && d.root_uid != 0) tree.idmap = d.idmap();
    d.host(std::move(tree));
    return slot;
}

// An upper layer that is thrown away with the machine.
Result<> fresh_upper(Draft& d, launch::MakeOverlay& overlay) {
    std::string directory = TRY(fresh_directory(d, "overlay"));
    overlay.upper = d.new_slot();
    d.host(launch::OpenTree{.slot = overlay.upper, .path = directory, .attr = {.propagation = MS_PRIVATE}});
    d.host(d.directory(overlay.upper, "upper"));
    d.host(launch::MakeDir{overlay.upper, "work", 0700});
    overlay.upper_path = "upper", overlay.work_path = "work";
    return {};
}

// The upper layer's directory and its work directory, which overlayfs wants beside each other: so their
// parent is what is opened. With an id map overlayfs must work as an id that is in it.
Result<> upper(Draft& d, const Mount& mount, launch::MakeOverlay& overlay) {
    const std::string& path = mount.layers.back();
    if (path.empty()) return fresh_upper(d, overlay);
    size_t slash = path.rfind('/');
    bool inside = path.starts_with('+');
    if (slash == path.npos || slash + 1 == path.size())
        return error(Errc::invalid, cat("--overlay: ", quoted(path),
                                        " cannot be the upper layer: its work directory must be beside it"));
    if (!inside) TRY(check_source(d, mount, path));
    std::string parent = path.substr(inside ? 1 : 0, slash - (inside ? 1 : 0));
    launch::OpenTree tree{.slot = d.new_slot(), .path = parent.empty() ? "/" : parent};
    tree.attr.propagation = MS_PRIVATE;
    overlay.upper = tree.slot;
    overlay.upper_path = path.substr(slash + 1);
    overlay.work_path = cat(".#croft-work-", d.spec.name, "-", d.fresh++);
    bool mapped = inside ? d.map_tree : d.private_users && d.root_uid != 0;
    if (mapped) overlay.uid = d.root_uid, overlay.gid = d.root_gid;
    if (inside) {
        tree.base = d.root;
        // Of a throwaway copy the work directory is thrown away with the rest.
        const spec::Root& root = d.spec.root;
        bool own_tree = !root.ephemeral && root.volatile_mode == spec::Volatile::no &&
                        (root.layers.empty() || !root.upper.empty());
        if (own_tree)
            d.launch.cleanup.remove_trees.push_back(
                cat(d.facts.tree.directory, parent, "/", overlay.work_path));
    } else {
        if (mapped) tree.idmap = d.idmap();
        d.launch.cleanup.remove_trees.push_back(cat(parent, "/", overlay.work_path));
    }
    auto& list = inside ? d.launch.stage : d.launch.host;
    list.emplace_back(std::move(tree));
    list.emplace_back(d.directory(overlay.upper, overlay.work_path, 0700));
    return {};
}

}  // namespace

Result<> plan_overlay(Draft& d, const Mount& mount) {
    if (!d.facts.has_overlay)
        return error(Errc::unsupported,
                     cat(option_of(mount), ": this kernel has no overlayfs (modprobe overlay)"));
    launch::MakeOverlay step{.slot = 0};
    size_t lowers = mount.layers.size() - (mount.writable ? 1 : 0);
    // overlayfs itself refuses a single layer.
    if (mount.layers.size() < 2)
        return error(Errc::invalid,
                     cat(option_of(mount), " needs at least two directories to lay over each other"));
    // The user names them from the lowest up, overlayfs from the topmost down.
    for (size_t i = lowers; i > 0; --i) step.lowers.push_back(TRY(layer(d, mount, mount.layers[i - 1])));
    if (mount.writable)
        TRY(upper(d, mount, step));
    else
        step.attr |= attr::ro;
    if (!d.facts.privileged) step.options.emplace_back("userxattr", "");
    step.slot = d.new_slot();
    Slot slot = step.slot;
    d.stage(std::move(step));
    d.stage(d.attach(slot, mount.target));
    return {};
}

}  // namespace croft::plan
