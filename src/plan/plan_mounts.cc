// The user's own mounts, in the order in which they were given, so that a later one can be put into an
// earlier one.
//
// All are attached in the stage, where the payload's user namespace finds them locked: it can neither take
// them away nor make a read-only one writable.
#include <sys/mount.h>

#include "plan/draft.h"

namespace croft::plan {

namespace {

using launch::Slot;
using spec::BindIds;
using spec::Mount;

bool is_below(std::string_view path, std::string_view directory) {
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

std::string_view option_of(const Mount& mount) {
    switch (mount.kind) {
        case Mount::Kind::bind:
            return mount.writable ? "--bind" : "--bind-ro";
        case Mount::Kind::tmpfs:
            return "--tmpfs";
        case Mount::Kind::overlay:
            return mount.writable ? "--overlay" : "--overlay-ro";
        case Mount::Kind::inaccessible:
            return "--inaccessible";
        case Mount::Kind::filesystem:
            break;
    }
    return "a mount";
}

class Mounts {
  public:
    explicit Mounts(Draft& d) : d_(d) {}

    Result<> add(const Mount& mount) {
        TRY(check_target(mount));
        switch (mount.kind) {
            case Mount::Kind::bind:
                return bind(mount);
            case Mount::Kind::tmpfs:
                return tmpfs(mount);
            case Mount::Kind::overlay:
                return overlay(mount);
            case Mount::Kind::inaccessible:
                d_.stage(launch::Mask{mount.target, false});
                return {};
            case Mount::Kind::filesystem:
                return filesystem(mount);
        }
        return {};
    }

  private:
    // proc and sysfs are mounted by the payload's process, after these: whatever is put below them would be
    // covered, and a fake /proc makes programs (and security labels) write where they should not
    // (CVE-2019-16884).
    Result<> check_target(const Mount& mount) {
        for (std::string_view own : {"/proc", "/sys"})
            if (is_below(mount.target, own) && mount.kind != Mount::Kind::filesystem &&
                mount.kind != Mount::Kind::inaccessible)
                return error(Errc::invalid, cat(option_of(mount), ": nothing can be mounted on ",
                                                quoted(mount.target), ": ", own, " is the kernel's own"));
        return {};
    }

    // Whether something is at a host path, or why it cannot be used.
    Result<> check_source(const Mount& mount, const std::string& path) {
        if (d_.facts.path_is_directory.contains(path)) return {};
        return error(Errc::not_found, cat(option_of(mount), ": ", quoted(path),
                                          " does not exist on this host: make it first"));
    }

    // ------------------------------------------------------------ binds

    Result<> bind(const Mount& mount) {
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
            tree.base = d_.root;
        } else if (mount.source.empty()) {
            tree.path = TRY(fresh_directory("bind"));
        } else {
            TRY(check_source(mount, mount.source));
            tree.idmap = TRY(map_of(mount));
        }
        tree.slot = d_.new_slot();
        Slot slot = tree.slot;
        inside ? d_.stage(std::move(tree)) : d_.host(std::move(tree));
        d_.stage(d_.attach(slot, mount.target, create));
        return {};
    }

    // A directory below the scratch directory, by its host path: a clone of a clone works only since
    // Linux 6.15.
    Result<std::string> fresh_directory(std::string_view stem) {
        Slot scratch = TRY(d_.scratch());
        std::string name = cat(stem, "-", fresh_++);
        d_.host(d_.directory(scratch, name));
        return cat(d_.facts.scratch_directory, "/", name);
    }

    // Which user namespace maps the ids of this bind; none when its files shall look as they are.
    Result<Slot> map_of(const Mount& mount) {
        if (!mount.uid_mappings.empty())
            return custom_map(copy(mount.uid_mappings), copy(mount.gid_mappings));
        switch (mount.ids) {
            case BindIds::none:
                return launch::no_slot;
            case BindIds::automatic:
            case BindIds::idmap:
                // Host ids 0… are seen as the machine's 0…, as in the tree. With maps onto the same ids there
                // is nothing to map.
                if (!d_.private_users || (d_.root_uid == 0 && d_.root_gid == 0)) return launch::no_slot;
                return d_.idmap();
            case BindIds::root_idmap:
                return owner_map(mount, {0, 0});
            case BindIds::owner_idmap: {
                auto owner = d_.facts.tree.target_owners.find(mount.target);
                return owner_map(mount, owner == d_.facts.tree.target_owners.end()
                                            ? std::pair<uint32_t, uint32_t>()
                                            : owner->second);
            }
        }
        return launch::no_slot;
    }

    // The source's owner is seen as one user inside; everybody else's files belong to nobody.
    Result<Slot> owner_map(const Mount& mount, std::pair<uint32_t, uint32_t> inside) {
        auto owner = d_.facts.path_owners.find(mount.source);
        auto uid = d_.host_uid(inside.first), gid = d_.host_gid(inside.second);
        if (owner == d_.facts.path_owners.end() || !uid || !gid)
            return error(Errc::failed,
                         cat(option_of(mount), ": the owner of ", quoted(mount.source), " is not known"));
        return custom_map({{owner->second.first, *uid, 1}}, {{owner->second.second, *gid, 1}});
    }

    Slot custom_map(std::vector<launch::IdMap> uids, std::vector<launch::IdMap> gids) {
        launch::MakeUserns step{d_.new_slot(), std::move(uids), std::move(gids)};
        Slot slot = step.slot;
        d_.host(std::move(step));
        return slot;
    }

    static std::vector<launch::IdMap> copy(const std::vector<spec::IdMapping>& maps) {
        std::vector<launch::IdMap> out;
        for (const spec::IdMapping& map : maps) out.push_back({map.inside, map.outside, map.count});
        return out;
    }

    // ------------------------------------------------------------ file systems

    Result<> tmpfs(const Mount& mount) {
        MountFlags flags = mount_flags(mount.options);
        std::string mode = "0755";
        uint32_t uid = d_.root_uid, gid = d_.root_gid;
        std::vector<std::pair<std::string, std::string>> options;
        for (const std::string& option : flags.rest) {
            size_t equals = option.find('=');
            std::string key = option.substr(0, equals);
            std::string value = equals == option.npos ? "" : option.substr(equals + 1);
            if (key == "mode") {
                mode = value;
            } else if (key == "uid" || key == "gid") {
                auto inside = parse_uint(value);
                auto id = inside && *inside <= UINT32_MAX
                              ? (key == "uid" ? d_.host_uid(static_cast<uint32_t>(*inside))
                                              : d_.host_gid(static_cast<uint32_t>(*inside)))
                              : std::nullopt;
                if (!id)
                    return error(Errc::invalid,
                                 cat("--tmpfs: ", quoted(option), " is no id of this machine"));
                (key == "uid" ? uid : gid) = *id;
            } else {
                options.emplace_back(std::move(key), std::move(value));
            }
        }
        options.emplace_back("mode", mode);
        if (uid != 0) options.emplace_back("uid", cat(uid));
        if (gid != 0) options.emplace_back("gid", cat(gid));
        // The size's default is half of the host's memory, by the kernel.
        Slot slot = d_.new_slot();
        uint64_t attributes =
            ((attr::nosuid | attr::nodev) & ~flags.clear) | flags.set | (mount.writable ? 0 : attr::ro);
        d_.host(launch::MakeFs{slot, "tmpfs", "croft", std::move(options), attributes});
        d_.stage(d_.attach(slot, mount.target));
        return {};
    }

    // A mount that is none of croft's own (a config.json may list them all, those that every machine has
    // too).
    Result<> filesystem(const Mount& mount) {
        for (std::string_view own :
             {"/proc", "/sys", "/sys/fs/cgroup", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"})
            if (mount.target == own) return {};
        if (mount.fs_type == "tmpfs") return tmpfs(mount);
        MountFlags flags = mount_flags(mount.options);
        launch::MakeFs fs{.slot = d_.new_slot(),
                          .type = mount.fs_type,
                          .source = mount.source,
                          .attr = flags.set | (mount.writable ? 0 : attr::ro)};
        for (const std::string& option : flags.rest) {
            size_t equals = option.find('=');
            fs.options.emplace_back(option.substr(0, equals),
                                    equals == option.npos ? "" : option.substr(equals + 1));
        }
        Slot slot = fs.slot;
        d_.host(std::move(fs));
        d_.stage(d_.attach(slot, mount.target));
        return {};
    }

    // ------------------------------------------------------------ overlays

    Result<Slot> layer(const Mount& mount, const std::string& path) {
        launch::OpenTree tree{.slot = d_.new_slot(), .path = path};
        tree.attr.propagation = MS_PRIVATE;
        Slot slot = tree.slot;
        if (path.starts_with('+')) {
            tree.path = path.substr(1);
            tree.base = d_.root;
            d_.stage(std::move(tree));
            return slot;
        }
        TRY(check_source(mount, path));
        if (d_.private_users && d_.root_uid != 0) tree.idmap = d_.idmap();
        d_.host(std::move(tree));
        return slot;
    }

    // The upper layer's directory and its work directory, which overlayfs wants beside each other: so their
    // parent is what is opened.
    Result<> upper(const Mount& mount, launch::MakeOverlay& overlay) {
        const std::string& path = mount.layers.back();
        if (path.empty()) {
            std::string directory = TRY(fresh_directory("overlay"));
            overlay.upper = d_.new_slot();
            d_.host(launch::OpenTree{
                .slot = overlay.upper, .path = directory, .attr = {.propagation = MS_PRIVATE}});
            d_.host(d_.directory(overlay.upper, "upper"));
            d_.host(launch::MakeDir{overlay.upper, "work", 0700});
            overlay.upper_path = "upper", overlay.work_path = "work";
            return {};
        }
        size_t slash = path.rfind('/');
        bool inside = path.starts_with('+');
        if (slash == path.npos || slash + 1 == path.size())
            return error(Errc::invalid, cat("--overlay: ", quoted(path),
                                            " cannot be the upper layer: its work directory "
                                            "must be beside it"));
        if (!inside) TRY(check_source(mount, path));
        std::string parent = path.substr(inside ? 1 : 0, slash - (inside ? 1 : 0));
        launch::OpenTree tree{.slot = d_.new_slot(),
                              .path = parent.empty() ? "/" : parent,
                              .attr = {.propagation = MS_PRIVATE}};
        overlay.upper = tree.slot;
        overlay.upper_path = path.substr(slash + 1);
        overlay.work_path = cat(".#croft-work-", d_.spec.name, "-", fresh_++);
        launch::MakeDir work = d_.directory(overlay.upper, overlay.work_path, 0700);
        if (inside) {
            tree.base = d_.root;
            d_.stage(std::move(tree));
            d_.stage(std::move(work));
            return {};
        }
        if (d_.private_users && d_.root_uid != 0) tree.idmap = d_.idmap();
        d_.host(std::move(tree));
        d_.host(std::move(work));
        d_.launch.cleanup.remove_trees.push_back(cat(parent, "/", overlay.work_path));
        return {};
    }

    Result<> overlay(const Mount& mount) {
        if (!d_.facts.has_overlay)
            return error(Errc::unsupported,
                         cat(option_of(mount), ": this kernel has no overlayfs (modprobe overlay)"));
        launch::MakeOverlay step{.slot = 0};
        size_t lowers = mount.layers.size() - (mount.writable ? 1 : 0);
        // overlayfs itself refuses a single layer.
        if (mount.layers.size() < 2)
            return error(Errc::invalid,
                         cat(option_of(mount), " needs at least two directories to lay over each other"));
        // The user names them from the lowest up, overlayfs from the topmost down.
        for (size_t i = lowers; i > 0; --i) step.lowers.push_back(TRY(layer(mount, mount.layers[i - 1])));
        if (mount.writable)
            TRY(upper(mount, step));
        else
            step.attr |= attr::ro;
        if (!d_.facts.privileged) step.options.emplace_back("userxattr", "");
        step.slot = d_.new_slot();
        Slot slot = step.slot;
        d_.stage(std::move(step));
        d_.stage(d_.attach(slot, mount.target));
        return {};
    }

    Draft& d_;
    unsigned fresh_ = 0;
};

}  // namespace

Result<> plan_mounts(Draft& d) {
    Mounts mounts(d);
    for (const Mount& mount : d.spec.mounts) TRY(mounts.add(mount));
    return {};
}

}  // namespace croft::plan
