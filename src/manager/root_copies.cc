#include "manager/root_copies.h"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <ctime>

#include "base/names.h"
#include "base/remove_tree.h"
#include "base/scope.h"
#include "base/text.h"
#include "manager/change.h"
#include "manager/control.h"
#include "manager/copy_tree.h"
#include "manager/declared.h"
#include "manager/find_tree.h"
#include "manager/identity.h"
#include "manager/image_root.h"
#include "manager/own_root.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/names.h"

namespace croft::manager {
namespace {

uint64_t seconds_now() {
    return static_cast<uint64_t>(time(nullptr));
}

// What a running machine has written, as a layer of its own: copied while nothing in it moves.
Result<store::MachineRoot> copied_upper(const Paths& paths, const OwnRoot& own) {
    const std::string& name = own.root().name;
    auto layer = TRY(store::LayerWriter::begin(own.store()));
    bool paused = own.machine().state == State::frozen;
    if (!paused) TRY(pause(paths, name));
    std::string upper = cat(store::machine_directory(own.store(), name), "/upper");
    Result<> copied = copy_tree(upper, own.store().at(cat(layer->name(), "/upper")));
    if (!paused) TRY(resume(paths, name));
    TRY(std::move(copied).within(cat("copying what machine ", quoted(name), " has written")));
    store::MachineRoot root = own.root();
    root.layers.push_back(store::new_sealed_id());
    TRY(layer->commit({.id = root.layers.back()}));
    return root;
}

// Whether an fsync that follows takes along all names that were changed before: so do these journals.
bool keeps_order(const std::string& directory) {
    struct statfs fs = {};
    return statfs(directory.c_str(), &fs) == 0 && (fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == XFS_SUPER_MAGIC);
}

// In the clone's own upper, so that nothing of what is shared changes. It makes and removes names, and writes no content.
Result<> renew(const store::Store& store, const store::MachineRoot& root, const std::string& directory) {
    std::vector<std::string> trees = TRY(store::trees_above(store, root.layers));
    auto sync = keeps_order(directory) ? kernel::OverlaySync::later : kernel::OverlaySync::at_end;
    {
        Fd view = TRY(kernel::write_layers(trees, directory, overlay_notes(), sync));
        TRY(forget_identity(view.get()));
    }
    return sync == kernel::OverlaySync::later ? kernel::clear_work(directory) : Result<>();
}

// What the configuration says of an identity.
Result<> unset_uuid(const Paths& paths, Cloned& cloned, const std::string& name) {
    LoadedMachine loaded = TRY(parse_declared(paths, name));
    if (loaded.spec.integration.uuid.empty()) return {};
    TRY(unset_properties(paths, name, {{"uuid", ""}}));
    std::erase_if(cloned.warnings, [](const std::string& text) { return text.find("machine id") != text.npos; });
    return {};
}

Result<Cloned> clone_root(const Paths& paths, const std::string& from, const std::string& to, Identity identity) {
    OwnRoot own = TRY(OwnRoot::take(paths, from, "clone"));
    TRY(store::check_no_root(own.store(), to));
    SyncGroup group;
    store::MachineRoot root =
        own.machine().alive() ? TRY(copied_upper(paths, own)) : TRY(store::seal(own.store(), from, group));
    root.name = to, root.made = seconds_now();
    auto fresh = TRY(store::NewMachineRoot::make(own.store(), root, group));
    if (identity == Identity::fresh) TRY(renew(own.store(), root, fresh.directory()));
    bool put = false;
    auto cloned = clone_declared(paths, from, to, "", group, [&]() -> Result<> {
        TRY(fresh.put(group));
        put = true;
        return {};
    });
    if (!cloned && put) (void)store::remove_machine_root(own.store(), to);
    return cloned;
}

Result<> copy_plain_tree(const Paths& paths, const std::string& from, const std::string& to,
                         Identity identity, const TreeWatch& watch) {
    TRY(copy_whole_tree(paths, from, to, watch));
    if (identity == Identity::same) return {};
    Fd root = TRY(open_at(AT_FDCWD, to.c_str(), O_RDONLY | O_DIRECTORY));
    return forget_identity(root.get());
}

Result<Cloned> clone_plain(const Paths& paths, const Declared& from, const std::string& to, Identity identity,
                           const TreeWatch& watch) {
    std::string tree = tree_path(to);
    TRY(copy_plain_tree(paths, from.tree, tree, identity, watch));
    auto cloned = clone_declared(paths, from.name, to, tree);
    if (!cloned) (void)remove_tree_at(AT_FDCWD, tree.c_str());
    return cloned;
}

}  // namespace

Result<Cloned> clone_machine(const Paths& paths, const std::string& from, const std::string& to, Identity identity,
                             const TreeWatch& watch) {
    TRY(check_machine_name(to));
    Declared declared = TRY(find_declared(paths, from));
    if (find_declared(paths, to)) return error(Errc::exists, cat("machine ", quoted(to), " is declared already"));
    Cloned cloned = TRY(declared.image.empty() ? clone_plain(paths, declared, to, identity, watch)
                                               : clone_root(paths, from, to, identity));
    if (identity == Identity::fresh) TRY(unset_uuid(paths, cloned, to));
    return cloned;
}

Result<> snapshot_machine(const Paths& paths, const std::string& name, const std::string& snapshot) {
    TRY(check_machine_name(snapshot).within("the snapshot's name"));
    OwnRoot own = TRY(OwnRoot::take(paths, name, "snapshot"));
    if (TRY(store::find_snapshot(own.store(), name, snapshot)))
        return error(Errc::exists, cat("machine ", quoted(name), " has a snapshot ", quoted(snapshot), " already"));
    SyncGroup group;
    store::MachineRoot root = TRY(store::seal(own.store(), name, group));
    TRY(group.flush());
    root.made = seconds_now();
    return store::write_snapshot(own.store(), root, snapshot);
}

Result<> restore_machine(const Paths& paths, const std::string& name, const std::string& snapshot) {
    OwnRoot own = TRY(OwnRoot::take(paths, name, "restore"));
    auto found = TRY(store::find_snapshot(own.store(), name, snapshot));
    if (!found) {
        std::vector<std::string> names;
        for (const store::MachineRoot& each : TRY(store::snapshots(own.store(), name)))
            names.push_back(each.name.substr(name.size() + 1));
        return error(Errc::not_found, cat("machine ", quoted(name), " has no snapshot ", quoted(snapshot),
                                          names.empty() ? std::string("; `croft snapshot` makes one")
                                                        : cat("; there are: ", join(names, ", "))));
    }
    found->name = name;
    TRY(store::replace_machine_root(own.store(), *found));
    own.store().empty_trash_later();
    return {};
}

Result<> remove_machine_snapshot(const Paths& paths, const std::string& name, const std::string& snapshot) {
    OwnRoot own = TRY(OwnRoot::take(paths, name, "snapshot"));
    if (!TRY(store::find_snapshot(own.store(), name, snapshot)))
        return error(Errc::not_found, cat("machine ", quoted(name), " has no snapshot ", quoted(snapshot)));
    return store::remove_snapshot(own.store(), name, snapshot);
}

Result<std::vector<Snapshot>> machine_snapshots(const Paths& paths, const std::string& name) {
    std::vector<Snapshot> out;
    auto store = TRY(store::Store::find(store_path(paths)));
    if (!store) return out;
    for (const store::MachineRoot& each : TRY(store::snapshots(*store, name)))
        out.push_back({each.name.substr(name.size() + 1), each.image, each.made});
    return out;
}

}  // namespace croft::manager
