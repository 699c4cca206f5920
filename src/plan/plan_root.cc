// The machine's root: the tree itself, or a throwaway layer over it.
//
// Only the tree's own top directory is opened by a path of the host. Whatever is below it (/usr, the new root
// of
// --pivot-root) is opened once the tree is the root, where a symlink cannot lead out of it. What was attached
// first stays below, where nothing can reach it but a way out of a chroot, and is the payload's own tree
// anyway.
#include <sys/mount.h>

#include "plan/draft.h"

namespace croft::plan {

namespace {

using launch::Slot;

constexpr std::string_view half_of_memory = "50%";

struct TreeOptions {
    bool read_only = false;
    bool layer = false;  // below an overlay, which does not cross mounts
};

Slot open_tree(Draft& d, TreeOptions options) {
    launch::OpenTree tree{.slot = 0, .path = d.facts.tree.directory};
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

// The upper layer of an overlay. Its files are the host's ids of the payload as they are, without an id map:
// nobody else ever looks at it, and a tmpfs has id maps only since Linux 6.3.
Result<Slot> overlay(Draft& d, Slot lower, Slot upper) {
    if (!d.facts.has_overlay)
        return error(Errc::unsupported,
                     "this kernel has no overlayfs (modprobe overlay), which --ephemeral and "
                     "--volatile=overlay need");
    d.host(d.directory(upper, "upper"));
    d.host(launch::MakeDir{upper, "work", 0700});
    launch::MakeOverlay step{
        .slot = d.new_slot(), .lowers = {lower}, .upper = upper, .upper_path = "upper", .work_path = "work"};
    // Nothing of it survives the machine, so nothing needs to reach the disk.
    step.options.emplace_back("volatile", "");
    // In a user namespace the kernel keeps its notes in attributes that the namespace may write.
    if (!d.facts.privileged) step.options.emplace_back("userxattr", "");
    if (d.spec.root.read_only) step.attr |= attr::ro;
    Slot slot = step.slot;
    d.stage(std::move(step));
    return slot;
}

// --volatile=yes: an empty tmpfs with the tree's /usr in it.
void empty_root(Draft& d, Slot tree) {
    Slot usr = d.new_slot();
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
    d.stage(launch::AttachRoot{tree});
    d.stage(launch::OpenTree{.slot = usr, .path = "/usr", .base = tree});
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
    Slot tree = open_tree(d, {.read_only = true, .layer = true});
    bool in_memory = d.spec.root.volatile_mode == spec::Volatile::overlay;
    Slot upper = in_memory ? d.tmpfs("0755", {{"size", std::string(half_of_memory)}}, 0) : TRY(d.scratch());
    return overlay(d, tree, upper);
}

}  // namespace

Result<> plan_root(Draft& d) {
    const spec::Root& root = d.spec.root;
    using spec::Volatile;
    d.root_writable = !root.read_only;
    if (root.volatile_mode == Volatile::yes) {
        d.root_writable = true;
        empty_root(d, open_tree(d, {.read_only = true}));
        if (!root.pivot_new.empty())
            return error(Errc::invalid, "--pivot-root and --volatile=yes exclude each other");
        return {};
    }
    bool throwaway_root = root.volatile_mode == Volatile::overlay || (root.ephemeral && !root.read_only);
    if (throwaway_root) {
        d.root = TRY(throwaway(d));
    } else {
        bool read_only = root.read_only || root.volatile_mode == Volatile::state;
        d.root_writable = !read_only && !d.facts.tree.read_only_fs;
        d.root = open_tree(d, {.read_only = read_only});
    }
    d.stage(launch::AttachRoot{d.root});
    if (!root.pivot_new.empty()) inner_root(d);
    if (root.volatile_mode == Volatile::state) {
        Slot var = d.tmpfs("0755", {{"size", std::string(half_of_memory)}}, attr::nosuid | attr::nodev);
        d.stage(d.attach(var, "/var", launch::Create::no));
    }
    return {};
}

}  // namespace croft::plan
