// Unpacked layers: trees by the digest of the archive that they were unpacked from (the diff id), or sealed: what was a
// machine's own upper before a clone or a snapshot, and never changes any more.
//
// A layer's files have the ids of the archive; a machine sees them through an id map, so one tree serves every range of
// ids. What the layer takes away is told as overlayfs tells it. Called by images/ and manager/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace croft::store {

struct Layer {
    std::string id;            // "sha256:HEX" or "sealed:RANDOM"
    uint64_t archive_size = 0;  // bytes of the uncompressed archive; 0: not known
    uint64_t bytes = 0;         // of the regular files
    uint64_t entries = 0;
    bool recipe = false;        // the archive can be made again from the tree and the layer's recipe
};

// Nothing when it is not there; what is there is whole.
Result<std::optional<Layer>> find_layer(const Store& store, std::string_view id);
// Ids, sorted.
Result<std::vector<std::string>> layers(const Store& store);

// Their trees, absolute, the topmost first as overlayfs counts; `ids` has the lowest first.
Result<std::vector<std::string>> trees_above(const Store& store, const std::vector<std::string>& ids);

// A layer that is being unpacked: one process at a time, a second one waits. Without commit() nothing stays of it.
class LayerWriter {
  public:
    // Nothing when the layer is there. An empty id: it is known at the end only.
    static Result<std::optional<LayerWriter>> begin(const Store& store, const std::string& id = "");
    LayerWriter(LayerWriter&&) = default;
    LayerWriter& operator=(LayerWriter&&) = delete;
    ~LayerWriter();

    // The layer's own directory, below the store and as a descriptor: tree/ is in it, and a place for the recipe.
    const std::string& name() const { return name_; }
    int directory() const { return directory_.get(); }
    Result<Fd> tree() const;
    // Makes it the layer of layer.id, durably. One that is there by now stays, and this one goes.
    Result<> commit(const Layer& layer);

  private:
    LayerWriter(const Store& store, std::string name, Fd directory, Fd lock)
        : store_(&store), name_(std::move(name)), directory_(std::move(directory)), lock_(std::move(lock)) {}
    const Store* store_;
    std::string name_;  // in partial/
    Fd directory_, lock_;
};

// layer.json in a directory of the store that is about to become a layer.
Result<> write_layer_record(const Store& store, const std::string& directory, const Layer& layer, SyncGroup& group);

// The name of the recipe's file in a layer's directory.
inline constexpr const char* recipe_file = "recipe";

}  // namespace croft::store
