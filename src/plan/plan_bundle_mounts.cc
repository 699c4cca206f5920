// The root and the mounts of a bundle, in their order: what config.json lists, and nothing of croft's own.
#include <sys/mount.h>

#include <algorithm>

#include "plan/bundle.h"

namespace croft::plan {

namespace {

using launch::Create;
using launch::Slot;
using spec::Mount;
using spec::Propagation;

// Files of proc that programs read to size themselves, and that a file system of one's own may stand in for. Anything
// else put below /proc makes programs, and security labels, write where they should not (CVE-2019-16884).
constexpr std::string_view proc_files[] = {
    "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo",  "/proc/stat",
    "/proc/swaps",   "/proc/uptime",    "/proc/loadavg",  "/proc/slabinfo",
    "/proc/net/dev", "/proc/sys/kernel/ns_last_pid",      "/proc/sys/crypto/fips_enabled"};

class BundleMount {
  public:
    BundleMount(Draft& d, Places& places, const Mount& mount, size_t index)
        : d_(d),
          places_(places),
          mount_(mount),
          target_(clean_path(mount.target)),
          name_(cat("mounts[", index, "] (", target_, ")")),
          options_(bundle_options(mount.options)) {}

    Result<> plan() {
        TRY(check());
        if (mount_.kind == Mount::Kind::bind) return bind();
        if (mount_.kind != Mount::Kind::filesystem) return wrong("is of no kind that a bundle has");
        const std::string& type = mount_.fs_type;
        if (type == "tmpfs") return tmpfs();
        if (type == "proc") return api("proc", d_.own_pid, "/proc");
        if (type == "sysfs") return api("sysfs", d_.private_network, "/sys");
        if (type == "mqueue") return api("mqueue", d_.own_ipc, "/dev/mqueue");
        if (type == "devpts") return api("devpts", true, "");
        if (type == "cgroup" || type == "cgroup2")
            return api("cgroup2", d_.own_cgroup,
                       d_.facts.cgroup_root.empty() ? "/sys/fs/cgroup" : d_.facts.cgroup_root);
        return other();
    }

  private:
    Error wrong(std::string_view why) const { return error(Errc::invalid, cat(name_, ": ", why)); }

    Result<> check() const {
        if (target_ == "/") return wrong("nothing can be mounted on the root itself; root.path says what it is");
        if (options_.copy_up && mount_.fs_type != "tmpfs") return wrong("'tmpcopyup' is for a tmpfs only");
        if (!is_at_or_below(target_, "/proc")) return {};
        const bool is_proc = mount_.fs_type == "proc" || (mount_.kind == Mount::Kind::bind && mount_.source == "/proc");
        if (target_ == "/proc")
            return is_proc ? Result<>() : wrong("only a proc file system can be mounted on /proc");
        if (std::ranges::find(proc_files, target_) != std::end(proc_files)) return {};
        return wrong("nothing can be mounted there: what is below /proc is the kernel's own");
    }

    uint64_t read_only() const { return mount_.writable ? 0 : attr::ro; }

    // Propagation of a file system that was made for this container: there is nobody to be private from. Set in the
    // container's own mount namespace, because a user namespace's copy of a shared mount is a slave.
    void propagate() {
        uint64_t bits = propagation_bits(mount_.propagation);
        if (bits != MS_PRIVATE) places_.later({.target = target_, .attr = {.propagation = bits}}, true);
    }

    Result<Slot> map() {
        if (!mount_.uid_mappings.empty() || !mount_.gid_mappings.empty()) {
            if (mount_.uid_mappings.empty() || mount_.gid_mappings.empty())
                return wrong("uidMappings and gidMappings must be given together");
            return make_userns(d_, id_maps(mount_.uid_mappings), id_maps(mount_.gid_mappings));
        }
        if (mount_.ids == spec::BindIds::none) return launch::no_slot;
        if (!d_.private_users)
            return mount_.ids == spec::BindIds::automatic
                       ? Result<Slot>(launch::no_slot)
                       : wrong("'idmap' needs uidMappings and gidMappings, of the mount or of a user namespace");
        return d_.idmap();
    }

    Result<> bind() {
        if (!mount_.source.starts_with('/')) return wrong("a bind needs a source");
        for (const auto& [word, value] : options_.data)
            if (!value.empty() || !word.ends_with("sync"))
                if (word != "mand" && word != "nomand" && !word.ends_with("lazytime"))
                    return wrong(cat(quoted(word), " is no option of a bind"));
        launch::OpenTree tree{.slot = 0, .path = mount_.source, .recursive = mount_.recursive};
        tree.attr = {options_.all.set, options_.all.clear, propagation_bits(mount_.propagation)};
        tree.top_set = options_.top.set | read_only(), tree.top_clear = options_.top.clear;
        tree.idmap = TRY(map());
        tree.map_top = tree.idmap != launch::no_slot && !mount_.map_recursive && mount_.recursive;
        // One that cannot be bound could not be attached in its turn either.
        if (!d_.private_users && (tree.attr.propagation & MS_UNBINDABLE)) {
            places_.later({.target = target_, .attr = {.propagation = MS_UNBINDABLE}, .recursive = mount_.recursive}, true);
            tree.attr.propagation = MS_PRIVATE;
        }
        tree.slot = d_.new_slot();
        Slot slot = tree.slot;
        d_.host(std::move(tree));
        places_.attach_bind({.slot = slot, .target = target_, .create = Create::like_source});
        return {};
    }

    // A read-only one is so when all that is to be in it has its place.
    Result<> tmpfs() {
        std::vector<std::string> words;
        bool mode = false;
        add_label(options_.data);
        for (const auto& [key, value] : options_.data) {
            words.push_back(value.empty() ? key : cat(key, "=", value));
            mode = mode || key == "mode";
        }
        uint64_t set = options_.top.set | options_.all.set;
        bool closed = (set | read_only()) & attr::ro;
        Slot slot = TRY(user_tmpfs(d_, name_, mount_.source.empty() ? "tmpfs" : mount_.source, words, "", set & ~attr::ro));
        if (options_.copy_up && places_.is_below_api(target_))
            return wrong("'tmpcopyup' is not possible below a file system of the kernel's own");
        if (options_.copy_up) d_.stage(launch::CopyUp{slot, target_});
        places_.attach_made({.slot = slot, .target = target_, .keep_mode = !mode});
        if (target_ == "/dev") places_.set_dev(slot);
        if (closed)
            places_.later({.target = target_, .attr = {.set = attr::ro}, .slot = slot}, places_.is_inside(target_));
        propagate();
        return {};
    }

    // proc and its like show a namespace of the container's, and only a process in it can mount them. Where the
    // namespace is not the container's own, the kernel may refuse, and the host's mount stands in.
    Result<> api(const char* type, bool owns_namespace, std::string_view host_mount) {
        launch::MakeFs fs{.slot = 0, .type = type};
        fs.source = mount_.source.empty() ? type : mount_.source;
        fs.attr = options_.top.set | options_.all.set | read_only();
        if (!may_mount(d_, owns_namespace)) fs.instead = open_api(d_, std::string(host_mount), fs.attr);
        if (fs.type != "cgroup2")
            for (auto& [key, value] : options_.data)
                if (fs.type != "devpts" || key != "gid" || has_group(value)) fs.options.emplace_back(key, value);
        if (fs.type == "devpts" || fs.type == "mqueue") add_label(fs.options);
        fs.slot = d_.new_slot();
        Slot slot = fs.slot;
        bool strict = fs.type == "proc" || fs.type == "sysfs";
        places_.attach_api(std::move(fs), {.slot = slot, .target = target_, .no_symlinks = strict});
        propagate();
        return {};
    }

    // Files of a file system that is made for the container have the container's label.
    void add_label(std::vector<std::pair<std::string, std::string>>& options) const {
        const std::string& label = d_.spec.process.selinux_mount_label;
        if (!label.empty() && d_.facts.has_selinux) options.emplace_back("context", label);
    }

    // A terminal's group (5 is tty) that a user namespace of few ids does not have is left to be its root's.
    bool has_group(std::string_view text) const {
        auto gid = parse_uint(text);
        if (!gid || *gid > UINT32_MAX) return true;  // the kernel says what it thinks of it
        if (d_.private_users) return d_.host_gid(static_cast<uint32_t>(*gid)).has_value();
        const auto& own = d_.facts.own_gid_maps;
        return own.empty() || std::ranges::any_of(own, [&](const spec::IdMapping& map) {
                   return *gid >= map.inside && *gid - map.inside < map.count;
               });
    }

    Result<> other() {
        launch::MakeFs fs{.slot = d_.new_slot(),
                          .type = mount_.fs_type,
                          .source = mount_.source,
                          .options = options_.data,
                          .attr = options_.top.set | options_.all.set | read_only()};
        // The file system too, as mount(2) has it: its device may be read-only.
        if (!mount_.writable) fs.options.emplace_back("ro", "");
        add_label(fs.options);
        Slot slot = fs.slot;
        d_.host(std::move(fs));
        places_.attach_made({.slot = slot, .target = target_});
        propagate();
        return {};
    }

    Draft& d_;
    Places& places_;
    const Mount& mount_;
    const std::string target_, name_;
    BundleOptions options_;
};

// When all mount points are made. A createContainer hook may make more, so then it is the payload's process that does it.
void close_root(Draft& d) {
    const bool hooks = !d.spec.hooks.create_container.empty();
    if (hooks) d.inside(launch::ContainerHooks{});
    if (!d.spec.root.read_only) return;
    launch::SetAttr close{.target = "/", .attr = {.set = attr::ro}};
    if (!hooks) close.slot = d.root;
    hooks ? d.inside(std::move(close)) : d.stage(std::move(close));
}

}  // namespace

Result<> plan_bundle_root(Draft& d) {
    launch::OpenTree tree{.slot = d.new_slot(), .path = d.spec.root.directory, .recursive = true};
    if (!tree.path.starts_with('/')) return error(Errc::invalid, "root.path: there is none");
    // A slave must be one of the host's mount; a shared root begins a group of its own, once all else is done.
    uint64_t wanted = propagation_bits(d.spec.root.propagation);
    tree.attr.propagation = wanted == MS_SLAVE ? wanted : uint64_t{MS_PRIVATE};
    d.root = tree.slot;
    d.host(std::move(tree));
    d.stage(launch::AttachRoot{d.root});
    return {};
}

Result<> plan_bundle_mounts(Draft& d) {
    Places places(d);
    d.inside(launch::EnterRoot{});
    for (size_t i = 0; i < d.spec.mounts.size(); ++i)
        TRY(BundleMount(d, places, d.spec.mounts[i], i).plan());
    TRY(plan_bundle_dev(d, places));
    const std::string directory = clean_path(d.spec.process.directory);
    if (directory != "/" && !places.is_inside(directory))
        d.stage(launch::MakePoint{.path = directory, .uid = d.root_uid, .gid = d.root_gid});
    else if (directory != "/" && !places.is_below_api(directory))
        d.inside(launch::MakePoint{.path = directory});
    places.finish();
    close_root(d);
    // A way out of a chroot leads to the stage, which must be empty then; a user namespace needs its contents.
    if (!d.private_users && d.facts.privileged) d.stage(launch::DropStageApi{});
    return {};
}

}  // namespace croft::plan
