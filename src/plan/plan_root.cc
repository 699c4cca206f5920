// The machine's root: the tree itself, a throwaway layer over it, or the layers of an image with an upper of the machine's
// own or a throwaway one.
//
// Only the tree's own top directory is opened by a path of the host. Whatever is below it (/usr, the new root
// of
// --pivot-root) is opened once the tree is the root, where a symlink cannot lead out of it. What was attached
// first stays below, where nothing can reach it but a way out of a chroot, and is the payload's own tree
// anyway.
#include <sys/mount.h>

#include "plan/draft.h"
#include "plan/plan_disk.h"

namespace croft::plan {

namespace {

using launch::Slot;

constexpr std::string_view half_of_memory = "50%";

struct TreeOptions {
    bool read_only = false;
    bool layer = false;  // below an overlay, which does not cross mounts
    std::string path = {};  // empty: the machine's tree
};

Slot open_tree(Draft& d, TreeOptions options) {
    if (!d.facts.disk.empty()) return open_volume(d, d.facts.disk.front(), {.read_only = options.read_only});
    launch::OpenTree tree{.slot = 0, .path = options.path};
    if (tree.path.empty()) tree.path = d.facts.tree.directory;
    if (tree.path.empty()) tree.path = d.spec.root.directory;
    if (d.map_tree) tree.idmap = d.idmap();
    // Mounts below the tree come along, unless they would have to take the id map too, which the first of
    // them that cannot would make fail as a whole.
    tree.recursive = !d.map_tree && !options.layer;
    tree.attr.propagation = MS_PRIVATE;
    if (options.read_only) tree.attr.set |= attr::ro;
    // Without a policy only this keeps a device node, shipped in the tree or made by the payload, from
    // working.
    if (!d.device_policy) tree.attr.set |= attr::nodev;
    tree.slot = d.new_slot();
    Slot slot = tree.slot;
    d.host(std::move(tree));
    return slot;
}

// What lies below an upper layer, topmost first: the tree, or the layers of an image under what the machine itself wrote
// earlier (with `own`).
enum class Own { leave_out, lowest };
std::vector<Slot> lowers(Draft& d, Own own) {
    const spec::Root& root = d.spec.root;
    if (root.layers.empty()) return {open_tree(d, {.read_only = true, .layer = true})};
    std::vector<Slot> slots;
    auto open = [&](const std::string& path) {
        slots.push_back(open_tree(d, {.read_only = true, .layer = true, .path = path}));
    };
    if (own == Own::lowest && !root.upper.empty()) open(root.upper + "/upper");
    for (size_t i = root.layers.size(); i > 0; --i) open(root.layers[i - 1]);
    return slots;
}

Result<launch::MakeOverlay> overlay_over(Draft& d, std::vector<Slot> lowers, std::string_view why) {
    if (!d.facts.has_overlay)
        return error(Errc::unsupported, cat("this kernel has no overlayfs (modprobe overlay), which ", why, " need"));
    launch::MakeOverlay step{.slot = d.new_slot(), .lowers = std::move(lowers)};
    // In a user namespace the kernel keeps its notes in attributes that the namespace may write.
    if (!d.facts.privileged) step.options.emplace_back("userxattr", "");
    if (!d.device_policy && !d.spec.root.layers.empty()) step.attr |= attr::nodev;
    return step;
}

Slot put(Draft& d, launch::MakeOverlay step) {
    Slot slot = step.slot;
    d.stage(std::move(step));
    return slot;
}

// The upper layer of an overlay. Its files are the host's ids of the payload as they are, without an id map:
// nobody else ever looks at it, and a tmpfs has id maps only since Linux 6.3.
Result<Slot> overlay(Draft& d, std::vector<Slot> lowers, Slot upper) {
    d.host(d.directory(upper, "upper"));
    d.host(launch::MakeDir{upper, "work", 0700});
    launch::MakeOverlay step = TRY(overlay_over(d, std::move(lowers), "--ephemeral, --volatile=overlay and images"));
    step.upper = upper, step.upper_path = "upper", step.work_path = "work";
    // Nothing of it survives the machine, so nothing needs to reach the disk.
    step.options.emplace(step.options.begin(), "volatile", "");
    if (d.spec.root.read_only) step.attr |= attr::ro;
    return put(d, std::move(step));
}

// Layers that nobody writes to. overlayfs itself refuses a single one, which needs none. The machine's place in the store
// must be known for as long as it runs, and the scratch directory is where that is written.
Result<Slot> read_only_layers(Draft& d) {
    if (d.spec.root.upper.empty()) TRY(d.scratch());
    std::vector<Slot> slots = lowers(d, Own::lowest);
    if (slots.size() == 1) return slots.front();
    launch::MakeOverlay step = TRY(overlay_over(d, std::move(slots), "images"));
    step.attr |= attr::ro;
    return put(d, std::move(step));
}

// An upper that stays. Its files have the ids of the image's, through the same id map, so that it can become a layer of
// another image; overlayfs must then work as an id that is in the map. What it writes is to be found by who reads the upper
// alone: whole files, and directories where they are.
Result<Slot> layers_with_upper(Draft& d) {
    launch::MakeOverlay step = TRY(overlay_over(d, lowers(d, Own::leave_out), "images"));
    launch::OpenTree upper{.slot = d.new_slot(), .path = d.spec.root.upper};
    upper.attr.propagation = MS_PRIVATE;
    if (d.map_tree) {
        upper.idmap = d.idmap();
        step.uid = d.root_uid, step.gid = d.root_gid;
    }
    step.upper = upper.slot, step.upper_path = "upper", step.work_path = "work";
    d.host(std::move(upper));
    if (d.facts.privileged)
        for (const char* option : {"redirect_dir", "metacopy", "index"}) step.options.emplace_back(option, "off");
    return put(d, std::move(step));
}

// --volatile=yes: an empty tmpfs with the tree's /usr in it.
void empty_root(Draft& d, Slot tree) {
    // On a disk it may have a partition of its own.
    const spec::DiskVolume* separate = volume_at(d, "/usr");
    Slot usr = separate ? open_volume(d, *separate, {.read_only = true}) : d.new_slot();
    d.root = d.tmpfs("0755", {{"size", std::string(half_of_memory)}}, 0);
    for (const char* name : {"usr", "proc", "sys", "dev"}) d.host(d.directory(d.root, name, 0555));
    for (const char* name : {"run", "etc", "var"}) d.host(d.directory(d.root, name));
    d.host(d.directory(d.root, "root", 0700));
    d.host(d.directory(d.root, "tmp", 01777));
    auto links = d.facts.tree.usr_links;
    if (links.empty())
        links = {{"bin", "usr/bin"}, {"sbin", "usr/sbin"}, {"lib", "usr/lib"}, {"lib64", "usr/lib64"}};
    for (const auto& [name, target] : links)
        d.host(launch::MakeLink{
            .base = d.root, .path = name, .target = target, .uid = d.root_uid, .gid = d.root_gid});
    if (!separate) {
        d.stage(launch::AttachRoot{tree});
        d.stage(launch::OpenTree{.slot = usr, .path = "/usr", .base = tree});
    }
    d.stage(launch::AttachRoot{d.root});
    d.stage(d.attach(usr, "/usr", launch::Create::no));
}

// --pivot-root=NEW[:OLD]: NEW of the tree becomes the root and the whole tree is seen at OLD. Mounts say it
// without pivot_root(2), which would look at every task of the host.
void inner_root(Draft& d) {
    const spec::Root& root = d.spec.root;
    Slot outer = d.root, whole = d.new_slot();
    d.root = d.new_slot();
    d.stage(launch::OpenTree{.slot = whole, .path = "/", .base = outer});
    d.stage(launch::OpenTree{.slot = d.root, .path = root.pivot_new, .base = outer});
    d.stage(launch::AttachRoot{d.root});
    if (!root.pivot_old.empty()) d.stage(d.attach(whole, root.pivot_old));
}

Result<Slot> throwaway(Draft& d) {
    std::vector<Slot> below = lowers(d, Own::lowest);
    bool in_memory = d.spec.root.volatile_mode == spec::Volatile::overlay;
    if (!d.spec.root.layers.empty() && d.spec.root.upper.empty()) TRY(d.scratch());  // as read_only_layers() does
    Slot upper = in_memory ? d.tmpfs("0755", {{"size", std::string(half_of_memory)}}, 0) : TRY(d.scratch());
    return overlay(d, std::move(below), upper);
}

}  // namespace

Result<> plan_root(Draft& d) {
    const spec::Root& root = d.spec.root;
    using spec::Volatile;
    d.root_writable = !root.read_only;
    if (root.volatile_mode == Volatile::yes) {
        d.root_writable = true;
        bool separate_usr = volume_at(d, "/usr");
        empty_root(d, separate_usr               ? launch::no_slot
                      : root.layers.empty() ? open_tree(d, {.read_only = true})
                                            : TRY(read_only_layers(d)));
        if (!root.pivot_new.empty())
            return error(Errc::invalid, "--pivot-root and --volatile=yes exclude each other");
        return {};
    }
    bool read_only = root.read_only || root.volatile_mode == Volatile::state;
    bool no_upper = !root.layers.empty() && root.upper.empty();
    bool throwaway_root = root.volatile_mode == Volatile::overlay || ((root.ephemeral || no_upper) && !read_only);
    if (throwaway_root) {
        d.root = TRY(throwaway(d));
    } else {
        d.root_writable = !read_only && !d.facts.tree.read_only_fs;
        d.root = root.layers.empty() ? open_tree(d, {.read_only = read_only})
                 : read_only         ? TRY(read_only_layers(d))
                                     : TRY(layers_with_upper(d));
    }
    d.stage(launch::AttachRoot{d.root});
    if (!root.pivot_new.empty()) inner_root(d);
    TRY(attach_volumes(d));
    if (root.volatile_mode == Volatile::state) {
        Slot var = d.tmpfs("0755", {{"size", std::string(half_of_memory)}}, attr::nosuid | attr::nodev);
        d.stage(d.attach(var, "/var", launch::Create::no));
    }
    return {};
}

}  // namespace croft::plan
