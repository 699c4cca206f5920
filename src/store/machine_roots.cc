#include "store/machine_roots.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/names.h"
#include "base/text.h"
#include "format/json_writer.h"
#include "store/faults.h"
#include "store/layers.h"
#include "store/names.h"
#include "store/records.h"

namespace croft::store {
namespace {

std::string root_json(const MachineRoot& root, std::string_view boot_id = "") {
    format::JsonWriter json(format::JsonStyle::line);
    json.begin_object().member("name", root.name).member("image", root.image);
    if (root.manifest) json.member("manifest", root.manifest->text());
    json.key("layers").begin_array();
    for (const std::string& id : root.layers) json.value(id);
    json.end_array().member("made", root.made);
    if (!boot_id.empty()) json.member("boot", boot_id);
    json.end_object();
    return json.take() + "\n";
}

MachineRoot root_of(const RecordFile& record, std::string_view name) {
    MachineRoot out{std::string(name), record.text("image"), std::nullopt, record.texts("layers"), record.number("made")};
    if (auto manifest = image::Digest::parse(record.text("manifest"))) out.manifest = std::move(*manifest);
    return out;
}

std::string record_name(std::string_view name) {
    return cat("machines/", name, "/", machine_record);
}

Result<bool> is_empty(int dir, const std::string& path) {
    int copy = openat(dir, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* stream = copy < 0 ? nullptr : fdopendir(copy);
    if (!stream) return os_error(errno, cat("reading ", path));
    int entries = 0;
    while (dirent* entry = readdir(stream)) entries += entry->d_name[0] != '.' || entry->d_name[1] != '\0';
    closedir(stream);
    return entries <= 1;  // ".."
}

Result<> make_directory(const Store& store, const std::string& name, mode_t mode) {
    if (mkdirat(store.fd(), name.c_str(), 0700) < 0) return os_error(errno, cat("making ", store.at(name)));
    if (fchmodat(store.fd(), name.c_str(), mode, 0) < 0) return os_error(errno, cat("giving ", store.at(name), " its mode"));
    return {};
}

// The upper's own top is what "/" of the machine looks like: overlayfs takes it from the uppermost layer.
Result<> copy_top(const Store& store, const std::string& from, const std::string& to) {
    struct stat st = {};
    if (fstatat(store.fd(), from.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0) return os_error(errno, cat("looking at ", from));
    if (fchownat(store.fd(), to.c_str(), st.st_uid, st.st_gid, 0) < 0 && geteuid() == 0)
        return os_error(errno, cat("giving ", store.at(to), " its owner"));
    if (fchmodat(store.fd(), to.c_str(), st.st_mode & 07777, 0) < 0)
        return os_error(errno, cat("giving ", store.at(to), " its mode"));
    return {};
}

Result<> make_upper(const Store& store, const std::string& directory, const std::vector<std::string>& layers) {
    TRY(make_directory(store, cat(directory, "/work"), 0700));
    TRY(make_directory(store, cat(directory, "/upper"), 0755));
    if (layers.empty()) return {};
    return copy_top(store, TRY(layer_tree(layers.back())), cat(directory, "/upper"));
}

}  // namespace

std::string machine_directory(const Store& store, std::string_view name) {
    return store.at(cat("machines/", name));
}

Result<std::optional<MachineRoot>> find_machine_root(const Store& store, std::string_view name) {
    std::string file = record_name(name);
    if (name.empty() || name.find('/') != name.npos) return std::optional<MachineRoot>();
    auto record = TRY(RecordFile::find(store.fd(), file));
    return record ? std::optional(root_of(*record, name)) : std::nullopt;
}

Result<std::vector<MachineRoot>> machine_roots(const Store& store) {
    std::vector<MachineRoot> out;
    for (const std::string& name : TRY(store.names_in("machines")))
        if (auto root = TRY(find_machine_root(store, name))) out.push_back(std::move(*root));
    return out;
}

Result<> check_no_root(const Store& store, const std::string& name) {
    if (!exists_at(store.fd(), cat("machines/", name).c_str())) return {};
    return error(
        Errc::exists,
        cat("the store has a root of a machine ", quoted(name), " already; `croft rm --config --tree ", name,
            "` removes it, and `croft image prune --machines` one that no file declares"));
}

namespace {

// In partial/: all that a machine's directory has.
Result<std::string> make_directory_of(const Store& store, const MachineRoot& root, SyncGroup& group) {
    for (const std::string& id : root.layers)
        if (!TRY(find_layer(store, id)))
            return error(Errc::not_found, cat("the layer ", id, " is not in the store; pull or import the image again"));
    std::string fresh = cat("partial/machine-", random_name());
    TRY(make_directory(store, fresh, 0700));
    TRY(make_upper(store, fresh, root.layers));
    TRY(store.write_new(cat(fresh, "/", machine_record), root_json(root), group));
    return fresh;
}

}  // namespace

Result<NewMachineRoot> NewMachineRoot::make(const Store& store, const MachineRoot& root, SyncGroup& group) {
    TRY(check_machine_name(root.name));
    TRY(check_no_root(store, root.name));
    return NewMachineRoot(store, TRY(make_directory_of(store, root, group)), cat("machines/", root.name));
}

NewMachineRoot::~NewMachineRoot() {
    if (!fresh_.empty()) (void)store_->discard(fresh_);
}

Result<> NewMachineRoot::put(SyncGroup& group) {
    step();
    if (renameat2(store_->fd(), fresh_.c_str(), store_->fd(), name_.c_str(), RENAME_NOREPLACE) < 0)
        return os_error(errno, cat("making ", store_->at(name_)));
    fresh_.clear();
    step();
    return group.add_directory(store_->fd(), "machines");
}

Result<> make_machine_root(const Store& store, const MachineRoot& root) {
    SyncGroup group;
    NewMachineRoot fresh = TRY(NewMachineRoot::make(store, root, group));
    TRY(group.flush());
    TRY(fresh.put(group));
    return group.flush();
}

Result<> replace_machine_root(const Store& store, const MachineRoot& root,
                              const std::function<Result<>(const std::string& directory)>& fill) {
    SyncGroup group;
    std::string name = cat("machines/", root.name), fresh = TRY(make_directory_of(store, root, group));
    Result<> filled = fill ? fill(store.at(fresh)) : Result<>();
    if (filled) filled = group.flush();
    if (!filled) {
        (void)store.discard(fresh);
        return filled;
    }
    step();
    if (renameat2(store.fd(), fresh.c_str(), store.fd(), name.c_str(), RENAME_EXCHANGE) < 0)
        return os_error(errno, cat("replacing ", store.at(name)));
    step();
    TRY(sync_directory(store.fd(), "machines"));
    return store.discard(fresh);
}

namespace {

std::string snapshot_name(std::string_view name, std::string_view snapshot) {
    return cat("snapshots/", name, "@", snapshot);
}

}  // namespace

Result<> write_snapshot(const Store& store, const MachineRoot& root, const std::string& snapshot) {
    TRY(check_machine_name(snapshot).within("the snapshot's name"));
    std::string file = snapshot_name(root.name, snapshot);
    if (exists_at(store.fd(), file.c_str()))
        return error(Errc::exists, cat("machine ", quoted(root.name), " has a snapshot ", quoted(snapshot), " already"));
    return store.write_file(file, root_json(root));
}

Result<std::optional<MachineRoot>> find_snapshot(const Store& store, std::string_view name, std::string_view snapshot) {
    std::string file = snapshot_name(name, snapshot);
    if (name.find('/') != name.npos || snapshot.find('/') != snapshot.npos) return std::optional<MachineRoot>();
    auto record = TRY(RecordFile::find(store.fd(), file));
    return record ? std::optional(root_of(*record, cat(name, "@", snapshot))) : std::nullopt;
}

Result<> remove_snapshot(const Store& store, std::string_view name, std::string_view snapshot) {
    return store.discard(snapshot_name(name, snapshot));
}

Result<std::vector<MachineRoot>> snapshots(const Store& store, std::string_view name) {
    std::vector<MachineRoot> out;
    for (const std::string& file : TRY(store.names_in("snapshots"))) {
        size_t at = file.find('@');
        if (at == file.npos || (!name.empty() && std::string_view(file).substr(0, at) != name)) continue;
        if (auto found = TRY(find_snapshot(store, file.substr(0, at), file.substr(at + 1)))) out.push_back(std::move(*found));
    }
    std::ranges::stable_sort(out, {}, &MachineRoot::made);
    return out;
}

Result<> write_machine_root(const Store& store, const MachineRoot& root) {
    return store.write_file(record_name(root.name), root_json(root));
}

namespace {

Result<> rename_in(const Store& store, const std::string& from, const std::string& to) {
    step();
    if (renameat2(store.fd(), from.c_str(), store.fd(), to.c_str(), RENAME_NOREPLACE) < 0 && errno != ENOENT)
        return os_error(errno, cat("renaming ", store.at(from), " to ", to));
    return {};
}

}  // namespace

Result<> rename_machine_root(const Store& store, const std::string& from, const std::string& to) {
    TRY(check_no_root(store, to));
    for (const MachineRoot& each : TRY(snapshots(store, from))) {
        std::string snapshot = each.name.substr(from.size() + 1);
        TRY(rename_in(store, snapshot_name(from, snapshot), snapshot_name(to, snapshot)));
    }
    TRY(rename_in(store, cat("machines/", from), cat("machines/", to)));
    TRY(sync_directory(store.fd(), "snapshots"));
    return sync_directory(store.fd(), "machines");
}

Result<> remove_machine_root(const Store& store, std::string_view name) {
    TRY(store.discard(cat("machines/", name)));
    return sync_directory(store.fd(), "machines");
}

namespace {

// What the machine's directory will be when its upper has become a layer, prepared under that layer's name.
Result<> prepare_successor(const Store& store, const std::string& layer, const MachineRoot& root, SyncGroup& group) {
    TRY(make_directory(store, layer, 0700));
    TRY(make_directory(store, cat(layer, "/work"), 0700));
    TRY(make_directory(store, cat(layer, "/upper"), 0755));
    TRY(copy_top(store, cat("machines/", root.name, "/upper"), cat(layer, "/upper")));
    return store.write_new(cat(layer, "/", machine_record), root_json(root), group);
}

}  // namespace

// One exchange of names does it, so that at each moment the machine has its files: a directory with an empty upper and the
// new record is prepared where the layer will be, and changes places with the machine's. What was the machine's directory is
// the layer then, and its upper/ the layer's tree.
Result<MachineRoot> seal(const Store& store, const std::string& name, SyncGroup& group) {
    auto found = TRY(find_machine_root(store, name));
    if (!found) return error(Errc::not_found, cat("machine ", quoted(name), " has no root in the store"));
    MachineRoot root = std::move(*found);
    std::string own = cat("machines/", name);
    if (TRY(is_empty(store.fd(), cat(own, "/upper")))) return root;
    root.layers.push_back(new_sealed_id());
    std::string layer = TRY(layer_name(root.layers.back()));
    SyncGroup records;
    TRY(prepare_successor(store, layer, root, records));
    TRY(write_layer_record(store, own, {.id = root.layers.back()}, records));
    TRY(records.flush());
    step();
    if (renameat2(store.fd(), own.c_str(), store.fd(), layer.c_str(), RENAME_EXCHANGE) < 0) {
        Error failed = os_error(errno, cat("sealing the files of machine ", quoted(name)));
        (void)store.discard(layer);
        return failed;
    }
    step();
    TRY(group.add_directory(store.fd(), "layers"));
    TRY(group.add_directory(store.fd(), "machines"));
    TRY(store.discard(cat(layer, "/work")));
    return root;
}

std::string use_directory(const Store& store, std::string_view name) {
    return store.at(cat("uses/", name));
}

Result<> write_use(const Store& store, const MachineRoot& root, std::string_view boot_id) {
    // Nothing of it outlives a boot, so nothing of it must reach the disk.
    Fd directory = TRY(open_at(store.fd(), cat("uses/", root.name).c_str(), O_RDONLY | O_DIRECTORY));
    return replace_file_at(directory.get(), machine_record, root_json(root, boot_id), 0600);
}

Result<std::vector<MachineRoot>> uses(const Store& store, std::string_view boot_id) {
    std::vector<MachineRoot> out;
    for (const std::string& name : TRY(store.names_in("uses"))) {
        auto record = TRY(RecordFile::find(store.fd(), cat("uses/", name, "/", machine_record)));
        if (record && record->text("boot") == boot_id) out.push_back(root_of(*record, name));
    }
    return out;
}

}  // namespace croft::store
