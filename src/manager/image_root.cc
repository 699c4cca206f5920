#include "manager/image_root.h"

#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "image/reference.h"
#include "manager/image_settings.h"
#include "manager/tree_lock.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/machine_roots.h"
#include "store/names.h"

namespace croft::manager {
namespace {

using image::Transport;

// Readers that were never written to have no store.
Result<std::optional<store::Store>> find_store(const Paths& paths) {
    return store::Store::find(store_path(paths));
}

Error no_image(std::string_view word) {
    return error(Errc::not_found, cat("there is no image ", quoted(word), " in the store; `croft image list` shows those that "
                                      "are, `croft image pull` and `croft image import` bring one"));
}

Result<store::Store> need_store(const Paths& paths, std::string_view image) {
    auto found = TRY(find_store(paths));
    if (!found) return no_image(image);
    return std::move(*found);
}

Result<store::Image> need_image(const store::Store& store, std::string_view word) {
    auto named = TRY(store::find_reference(store, word));
    if (!named) return no_image(word);
    return store::read_image(store, *named);
}

}  // namespace

Result<store::MachineRoot> new_root(const store::Store& store, const std::string& image_name, const std::string& machine) {
    store::Image image = TRY(need_image(store, image_name));
    TRY(store::check_complete(store, image));
    return store::MachineRoot{machine, image.named.name, image.named.manifest, image.layers(),
                              static_cast<uint64_t>(time(nullptr))};
}

namespace {

// What a machine stands on, or would. No name: it has nothing of its own.
Result<store::MachineRoot> root_of(const store::Store& store, const std::string& image, const std::string& machine) {
    if (!machine.empty())
        if (auto root = TRY(store::find_machine_root(store, machine))) return std::move(*root);
    return new_root(store, image, machine);
}

// A root that was made from something else says nothing.
Result<image::ImageProcess> process_of(const store::Store& store, const store::MachineRoot& root) {
    if (!root.manifest) return image::ImageProcess();
    store::Image image = TRY(store::read_image(store, *root.manifest).within(cat("image ", quoted(root.image))));
    return std::move(image.config.process);
}

Result<> lay_out(const store::Store& store, const store::MachineRoot& root, spec::Root& out) {
    out.layers.clear();
    for (const std::string& id : root.layers) out.layers.push_back(store.at(TRY(store::layer_tree(id))));
    if (out.layers.empty())
        return error(Errc::invalid, cat("image ", quoted(root.image), " has no layers: there is nothing to run in"));
    if (!root.name.empty()) out.upper = store::machine_directory(store, root.name);
    out.directory = cat("image ", root.image);
    return {};
}

}  // namespace

std::string store_path(const Paths& paths) {
    return paths.state + "/store";
}

Result<std::string> store_name(std::string_view reference) {
    image::Reference parsed = TRY(image::parse_reference(reference));
    if (image::is_web_address(parsed.path)) parsed.path = image::url_without_login(parsed.path);
    if (parsed.transport != Transport::registry && parsed.transport != Transport::store) return parsed.text();
    std::string out = parsed.host.empty() ? parsed.name : cat(parsed.host, "/", parsed.name);
    if (parsed.digest) return cat(out, "@", parsed.digest->text());
    return parsed.tag.empty() && parsed.transport == Transport::store
               ? out
               : cat(out, ":", parsed.tag.empty() ? "latest" : parsed.tag);
}

bool names_foreign_image(std::string_view word) {
    auto parsed = image::parse_reference(word);
    if (!parsed) return false;
    switch (parsed->transport) {
        case Transport::registry:
        case Transport::oci:
        case Transport::oci_archive:
        case Transport::docker_archive:
        case Transport::tar:
            return true;
        case Transport::store:
        case Transport::directory:
        case Transport::raw:
            break;
    }
    return false;
}

Result<std::optional<store::Named>> find_image(const Paths& paths, std::string_view word) {
    auto store = TRY(find_store(paths));
    if (!store) return std::optional<store::Named>();
    auto name = store_name(word);
    return store::find_reference(*store, name ? *name : word);
}

Result<> apply_with_image(const Paths& paths, const spec::SpecPatch& patch, const RootWords& words, spec::MachineSpec& spec,
                          std::vector<spec::Warning>& warnings) {
    Result<> applied = spec::apply(patch, spec, warnings);
    auto finish = [&] {
        if (words.mode) spec.mode = *words.mode;
        if (!words.image.empty()) spec.root.image = words.image;
    };
    finish();
    if (!applied || spec.root.image.empty() || (words.image.empty() && !spec.root.directory.empty())) return applied;
    store::Store store = TRY(need_store(paths, spec.root.image));
    store::MachineRoot root = TRY(root_of(store, spec.root.image, words.image.empty() ? words.machine : ""));
    image::ImageProcess process = TRY(process_of(store, root));
    spec::SpecPatch whole = settings_of(process, root.image, spec.mode);
    whole.append(patch);
    spec = {};
    warnings.clear();
    TRY(spec::apply(whole, spec, warnings));
    finish();
    spec.process.command = whole_command(process, spec.mode, spec.process.command);
    return lay_out(store, root, spec.root);
}

namespace {

// "" for one that has nothing of its own.
std::string machine_of(const spec::Root& root) {
    return root.upper.substr(root.upper.rfind('/') + 1);
}

}  // namespace

Result<Fd> hold_layers(const Paths& paths, const spec::MachineSpec& spec) {
    if (spec.root.layers.empty()) return Fd();
    return TRY(need_store(paths, spec.root.image)).hold();
}

Result<> prepare_root(const Paths& paths, const spec::MachineSpec& spec) {
    if (spec.root.layers.empty()) return {};
    store::Store store = TRY(need_store(paths, spec.root.image));
    std::string machine = machine_of(spec.root);
    if (!machine.empty() && !TRY(store::find_machine_root(store, machine)))
        return store::make_machine_root(store, TRY(new_root(store, spec.root.image, machine)));
    for (const std::string& tree : spec.root.layers)
        if (!exists_at(AT_FDCWD, tree.c_str()))
            return error(Errc::not_found, cat("image ", quoted(spec.root.image), " was removed just now"));
    return {};
}

std::string uses_path(const Paths& paths) {
    return store_path(paths) + "/uses";
}

Result<> record_use(const Paths& paths, const spec::MachineSpec& spec, std::string_view boot_id) {
    if (spec.root.layers.empty() || !exists_at(AT_FDCWD, cat(uses_path(paths), "/", spec.name).c_str())) return {};
    store::Store store = TRY(need_store(paths, spec.root.image));
    store::MachineRoot root = TRY(root_of(store, spec.root.image, machine_of(spec.root)));
    root.name = spec.name;
    return store::write_use(store, root, boot_id);
}

std::string root_text(const Paths& paths, std::string_view name) {
    auto store = find_store(paths);
    if (!store || !*store) return "";
    bool own = true;
    auto root = store::find_machine_root(**store, name);
    if (!root || !*root) {
        auto boot = read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 128);
        auto all = store::uses(**store, boot ? trim(*boot) : "");
        if (!all) return "";
        auto found = std::ranges::find(*all, name, &store::MachineRoot::name);
        if (found == all->end()) return "";
        own = false;
        *root = std::move(*found);
    }
    const store::MachineRoot& r = **root;
    std::string digest = r.manifest ? cat(" (", r.manifest->brief(), ")") : "";
    return cat("image ", r.image, digest, ", an overlay over ", r.layers.size(), r.layers.size() == 1 ? " layer" : " layers",
               own ? " and its own files" : " and files that go with the machine");
}

namespace {

Result<> remove_snapshots(const store::Store& store, const std::string& name) {
    for (const store::MachineRoot& snapshot : TRY(store::snapshots(store, name)))
        TRY(store::remove_snapshot(store, name, snapshot.name.substr(name.size() + 1)));
    return {};
}

}  // namespace

Result<> remove_own_root(const Paths& paths, const std::string& name) {
    auto store = TRY(find_store(paths));
    if (!store) return {};
    TreeLock lock;
    const bool there = TRY(store::find_machine_root(*store, name)).has_value();
    if (there) {
        std::string tree = cat(store::machine_directory(*store, name), "/upper");
        Fd root = TRY(open_at(AT_FDCWD, tree.c_str(), O_RDONLY | O_DIRECTORY));
        TRY(open_machines(paths));  // the run directory, where locks are
        lock = TRY(lock_tree(paths, tree, root.get(), LockKind::exclusive));
    }
    Result<> removed = remove_snapshots(*store, name);
    if (there && removed) removed = store::remove_machine_root(*store, name);
    unlock_tree(std::move(lock));
    store->empty_trash_later();
    return removed;
}

Result<> rename_own_root(const Paths& paths, const std::string& from, const std::string& to) {
    auto store = TRY(find_store(paths));
    if (!store) return {};
    return store::rename_machine_root(*store, from, to);
}

}  // namespace croft::manager
