#include "store/layers.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "format/json_writer.h"
#include "store/faults.h"
#include "store/names.h"
#include "store/records.h"

namespace croft::store {
namespace {

std::string layer_json(const Layer& layer) {
    format::JsonWriter json(format::JsonStyle::line);
    json.begin_object()
        .member("id", layer.id)
        .member("archive_size", layer.archive_size)
        .member("bytes", layer.bytes)
        .member("entries", layer.entries)
        .member("recipe", layer.recipe)
        .end_object();
    return json.take() + "\n";
}

// A directory that nobody else writes: an older one of the name is of a process that died, and is thrown away.
Result<Fd> make_partial(const Store& store, const std::string& name) {
    if (exists_at(store.fd(), name.c_str())) TRY(store.discard(name));
    std::string tree = cat(name, "/tree");
    TRY(make_dirs_at(store.fd(), tree, 0700));
    // Whatever the caller's umask is: an archive need not tell of its own top.
    if (fchmodat(store.fd(), tree.c_str(), 0755, 0) < 0) return os_error(errno, "giving a tree its mode");
    return open_at(store.fd(), name.c_str(), O_RDONLY | O_DIRECTORY);
}

}  // namespace

Result<std::optional<Layer>> find_layer(const Store& store, std::string_view id) {
    std::string file = cat(TRY(layer_name(id)), "/layer.json");
    auto found = TRY(RecordFile::find(store.fd(), file));
    if (!found) return std::optional<Layer>();
    const RecordFile& record = *found;
    return std::optional<Layer>(Layer{.id = std::string(id),
                                      .archive_size = record.number("archive_size"),
                                      .bytes = record.number("bytes"),
                                      .entries = record.number("entries"),
                                      .recipe = record.truth("recipe")});
}

Result<std::vector<std::string>> layers(const Store& store) {
    std::vector<std::string> out;
    for (const std::string& entry : TRY(store.names_in("layers")))
        if (std::string id = layer_id(entry); !id.empty()) out.push_back(std::move(id));
    return out;
}

Result<std::vector<std::string>> trees_above(const Store& store, const std::vector<std::string>& ids) {
    std::vector<std::string> trees;
    for (const std::string& id : ids) trees.insert(trees.begin(), store.at(TRY(layer_tree(id))));
    return trees;
}

Result<> write_layer_record(const Store& store, const std::string& directory, const Layer& layer, SyncGroup& group) {
    return store.write_new(cat(directory, "/layer.json"), layer_json(layer), group);
}

Result<std::optional<LayerWriter>> LayerWriter::begin(const Store& store, const std::string& id) {
    std::string name = cat("partial/layer-", random_name());
    if (!id.empty()) {
        name = TRY(layer_name(id));
        std::replace(name.begin(), name.end(), '/', '-');
        name.insert(0, "partial/");
    }
    Fd lock = TRY(wait_for_lock(store.fd(), cat(name, ".lock").c_str(), LockKind::exclusive));
    if (!id.empty() && TRY(find_layer(store, id))) {
        unlinkat(store.fd(), cat(name, ".lock").c_str(), 0);
        return std::optional<LayerWriter>();
    }
    Fd directory = TRY(make_partial(store, name).within("making a place to unpack a layer"));
    return std::optional<LayerWriter>(LayerWriter(store, std::move(name), std::move(directory), std::move(lock)));
}

LayerWriter::~LayerWriter() {
    if (!lock_) return;
    // After commit() there is none of that name.
    if (exists_at(store_->fd(), name_.c_str())) (void)store_->discard(name_);
    unlinkat(store_->fd(), cat(name_, ".lock").c_str(), 0);
}

Result<Fd> LayerWriter::tree() const {
    return open_at(directory_.get(), "tree", O_RDONLY | O_DIRECTORY);
}

Result<> LayerWriter::commit(const Layer& layer) {
    std::string name = TRY(layer_name(layer.id));
    SyncGroup record;
    TRY(write_layer_record(*store_, name_, layer, record));
    // All files at once, the record too; a file system error of any of them is told here.
    if (syncfs(directory_.get()) < 0) return os_error(errno, "writing an unpacked layer to disk");
    step();
    if (renameat2(store_->fd(), name_.c_str(), store_->fd(), name.c_str(), RENAME_NOREPLACE) < 0 && errno != EEXIST)
        return os_error(errno, cat("naming the layer ", layer.id));
    step();
    return sync_directory(store_->fd(), "layers");
}

}  // namespace croft::store
