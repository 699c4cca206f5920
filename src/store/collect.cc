#include "store/collect.h"

#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <string>

#include "base/text.h"
#include "image/manifest.h"
#include "store/blobs.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/machine_roots.h"
#include "store/names.h"

namespace croft::store {
namespace {

// Names below the store.
using Marked = std::set<std::string>;

Result<> mark_image(const Store& store, const image::Digest& manifest, Marked& marked) {
    if (!marked.insert(blob_name(manifest)).second) return {};
    // A machine may outlive its image's blobs: its layers are in its own record.
    if (!blob_size(store, manifest)) return {};
    Image image = TRY(read_image(store, manifest));
    marked.insert(blob_name(image.manifest.config.digest));
    for (const image::Descriptor& layer : image.manifest.layers) marked.insert(blob_name(layer.digest));
    for (const std::string& id : image.layers()) marked.insert(TRY(layer_name(id)));
    return {};
}

Result<> mark_machine(const Store& store, const MachineRoot& root, Marked& marked) {
    for (const std::string& id : root.layers) marked.insert(TRY(layer_name(id)));
    return root.manifest ? mark_image(store, *root.manifest, marked) : Result<>();
}

Result<Marked> mark(const Store& store, const std::vector<MachineRoot>& in_use) {
    Marked marked;
    for (const Named& named : TRY(references(store))) {
        TRY(mark_image(store, named.manifest, marked).within(cat("image ", quoted(named.name))));
        if (named.top) marked.insert(blob_name(*named.top));
    }
    for (const MachineRoot& root : TRY(snapshots(store, ""))) TRY(mark_machine(store, root, marked));
    for (const MachineRoot& root : TRY(machine_roots(store))) TRY(mark_machine(store, root, marked));
    for (const MachineRoot& root : in_use) TRY(mark_machine(store, root, marked));
    return marked;
}

uint64_t file_size(const Store& store, const std::string& name) {
    struct stat st = {};
    return fstatat(store.fd(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 ? static_cast<uint64_t>(st.st_size) : 0;
}

class Sweep {
  public:
    Sweep(const Store& store, const Marked& marked, Collect how) : store_(store), marked_(marked), how_(how) {}

    Result<> directory(const std::string& directory, size_t& count, uint64_t* bytes) {
        for (const std::string& entry : TRY(store_.names_in(directory))) {
            std::string name = cat(directory, "/", entry);
            if (marked_.contains(name)) continue;
            ++count;
            if (bytes) *bytes += file_size(store_, name);
            TRY(take(name));
        }
        return {};
    }
    // Who writes there holds the lock, and holds the store too: so these have no writer.
    Result<> take(const std::string& name) { return how_ == Collect::all ? store_.discard(name) : Result<>(); }

  private:
    const Store& store_;
    const Marked& marked_;
    Collect how_;
};

}  // namespace

Result<std::optional<Collected>> collect(const Store& store, std::string_view boot_id, Collect how) {
    auto alone = TRY(store.try_hold_alone());
    if (!alone) return std::optional<Collected>();
    auto in_use = TRY(uses(store, boot_id));
    Marked marked = TRY(mark(store, in_use).within("collecting"));
    for (const MachineRoot& root : in_use) marked.insert(cat("uses/", root.name));
    Collected out;
    Sweep sweep(store, marked, how);
    for (const char* directory : {"blobs/sha256", "blobs/sha512"})
        TRY(sweep.directory(directory, out.blobs, &out.blob_bytes));
    TRY(sweep.directory("layers", out.layers, nullptr));
    TRY(sweep.directory("partial", out.partial, nullptr));
    TRY(sweep.directory("uses", out.uses, nullptr));
    return std::optional<Collected>(out);
}

}  // namespace croft::store
