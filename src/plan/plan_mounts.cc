// The user's own mounts, in the order in which they were given, so that a later one can be put into an
// earlier one.
//
// All are attached in the stage, where the payload's user namespace finds them locked: it can neither take
// them away nor make a read-only one writable.
#include "plan/user_mounts.h"

namespace croft::plan {

using launch::Slot;
using spec::Mount;

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

Result<> check_source(const Draft& d, const Mount& mount, const std::string& path) {
    if (d.facts.path_is_directory.contains(path)) return {};
    return error(Errc::not_found,
                 cat(option_of(mount), ": ", quoted(path), " does not exist on this host: make it first"));
}

Result<std::string> fresh_directory(Draft& d, std::string_view stem) {
    Slot scratch = TRY(d.scratch());
    std::string name = cat(stem, "-", d.fresh++);
    d.host(d.directory(scratch, name));
    return cat(d.facts.scratch_directory, "/", name);
}

bool is_below_api(std::string_view path) {
    for (std::string_view own : {"/proc", "/sys"})
        if (path.starts_with(own) && (path.size() == own.size() || path[own.size()] == '/')) return true;
    return false;
}

// The size's default is half of the host's memory, by the kernel.
Result<Slot> user_tmpfs(Draft& d, std::string_view who, const std::string& source,
                        const std::vector<std::string>& given, std::string_view default_mode, uint64_t attributes) {
    std::string mode(default_mode);
    uint32_t uid = d.root_uid, gid = d.root_gid;
    std::vector<std::pair<std::string, std::string>> options;
    for (const std::string& option : given) {
        size_t equals = option.find('=');
        std::string key = option.substr(0, equals);
        std::string value = equals == option.npos ? "" : option.substr(equals + 1);
        if (key == "mode") {
            mode = value;
        } else if (key == "uid" || key == "gid") {
            auto inside = parse_uint(value);
            auto id = inside && *inside <= UINT32_MAX
                          ? (key == "uid" ? d.host_uid(static_cast<uint32_t>(*inside))
                                          : d.host_gid(static_cast<uint32_t>(*inside)))
                          : std::nullopt;
            if (!id) return error(Errc::invalid, cat(who, ": ", quoted(option), " is no id of this machine"));
            (key == "uid" ? uid : gid) = *id;
        } else {
            options.emplace_back(std::move(key), std::move(value));
        }
    }
    if (!mode.empty()) options.emplace_back("mode", mode);
    if (uid != 0) options.emplace_back("uid", cat(uid));
    if (gid != 0) options.emplace_back("gid", cat(gid));
    Slot slot = d.new_slot();
    d.host(launch::MakeFs{slot, "tmpfs", source, std::move(options), attributes});
    return slot;
}

namespace {

// proc and sysfs are mounted by the payload's process, after these: whatever is put below them would be
// covered, and a fake /proc makes programs (and security labels) write where they should not
// (CVE-2019-16884).
Result<> check_target(const Mount& mount) {
    if (!is_below_api(mount.target)) return {};
    return error(Errc::invalid, cat(option_of(mount), ": nothing can be mounted on ", quoted(mount.target),
                                    ": what is below /proc and /sys is the kernel's own"));
}

Result<> tmpfs(Draft& d, const Mount& mount) {
    MountFlags flags = mount_flags(mount.options);
    uint64_t attributes =
        ((attr::nosuid | attr::nodev) & ~flags.clear) | flags.set | (mount.writable ? 0 : attr::ro);
    Slot slot = TRY(user_tmpfs(d, "--tmpfs", "croft", flags.rest, "0755", attributes));
    d.stage(d.attach(slot, mount.target));
    return {};
}

// A mount that is none of croft's own (a config.json may list them all, those that every machine has
// too).
Result<> filesystem(Draft& d, const Mount& mount) {
    for (std::string_view own :
         {"/proc", "/sys", "/sys/fs/cgroup", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"})
        if (mount.target == own) return {};
    TRY(check_target(mount));
    if (mount.fs_type == "tmpfs") return tmpfs(d, mount);
    MountFlags flags = mount_flags(mount.options);
    launch::MakeFs fs{.slot = d.new_slot(),
                      .type = mount.fs_type,
                      .source = mount.source,
                      .attr = flags.set | (mount.writable ? 0 : attr::ro)};
    for (const std::string& option : flags.rest) {
        size_t equals = option.find('=');
        fs.options.emplace_back(option.substr(0, equals),
                                equals == option.npos ? "" : option.substr(equals + 1));
    }
    Slot slot = fs.slot;
    d.host(std::move(fs));
    d.stage(d.attach(slot, mount.target));
    return {};
}

Result<> add(Draft& d, const Mount& mount) {
    if (mount.kind == Mount::Kind::filesystem) return filesystem(d, mount);
    if (mount.kind == Mount::Kind::inaccessible) {
        // Below /proc and /sys they are covered once those are mounted.
        if (!is_below_api(mount.target)) d.stage(launch::Mask{mount.target, false});
        return {};
    }
    TRY(check_target(mount));
    if (mount.kind == Mount::Kind::bind) return plan_bind(d, mount);
    return mount.kind == Mount::Kind::overlay ? plan_overlay(d, mount) : tmpfs(d, mount);
}

}  // namespace

Result<> plan_mounts(Draft& d) {
    for (const Mount& mount : d.spec.mounts) TRY(add(d, mount));
    return {};
}

}  // namespace croft::plan
