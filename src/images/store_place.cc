#include "images/store_place.h"

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <map>
#include <mutex>

#include "archive/hash.h"
#include "archive/recipe.h"
#include "archive/streams.h"
#include "base/text.h"
#include "images/unpack_layers.h"
#include "registry/blobs.h"
#include "store/blobs.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/names.h"

namespace croft::images {
namespace {

using image::Digest;
using registry::algorithm_of;
using registry::ManifestBytes;

image::Reference in_store(const std::string& name) {
    image::Reference out;
    out.name = name;
    return out;
}

// Of a layer that is kept as a tree and a recipe: its archive, as a file that goes with its descriptor.
Result<Fd> cooked(const store::Store& store, const Digest& digest) {
    auto layer = TRY(store::find_layer(store, digest.text()));
    if (!layer || !layer->recipe) return store::open_blob(store, digest);
    std::string directory = TRY(store::layer_name(digest.text()));
    Fd recipe = TRY(open_at(store.fd(), cat(directory, "/", store::recipe_file).c_str(), O_RDONLY));
    std::string place = TRY(store::layer_tree(digest.text()));
    Fd tree = TRY(open_at(store.fd(), place.c_str(), O_RDONLY | O_DIRECTORY));
    Fd file = TRY(open_at(store.fd(), "partial", O_RDWR | O_TMPFILE, 0600));
    auto sink = archive::write_fd(file.get(), "the archive of a layer");
    TRY(archive::cook(recipe.get(), tree.get(), *sink).within(cat("layer ", digest.text())));
    return file;
}

class StoreSource final : public registry::ImageSource {
  public:
    StoreSource(std::shared_ptr<const store::Store> store, store::Named named)
        : kept_(std::move(store)), store_(*kept_), named_(std::move(named)), reference_(in_store(named_.name)) {}

    const image::Reference& reference() const override { return reference_; }

    Result<ManifestBytes> manifest(const std::optional<Digest>& digest) override {
        const Digest& wanted = digest ? *digest : named_.manifest;
        std::string bytes = TRY(store::read_blob(store_, wanted, image::largest_manifest));
        std::string type = TRY(image::detect_media_type(bytes));
        return ManifestBytes{std::move(bytes), std::move(type), wanted};
    }

    Result<std::unique_ptr<Source>> blob(const image::Descriptor& descriptor, uint64_t offset) override {
        bool there = store::blob_size(store_, descriptor.digest).has_value();
        Fd file = there ? TRY(store::open_blob(store_, descriptor.digest)) : TRY(cooked(store_, descriptor.digest));
        if (lseek(file.get(), static_cast<off_t>(offset), SEEK_SET) < 0) return os_error(errno, "reading a blob of the store");
        return archive::read_fd(std::move(file), cat("blob ", descriptor.digest.text()));
    }

    std::vector<std::string> names() const override { return {named_.name}; }

  private:
    const std::shared_ptr<const store::Store> kept_;
    const store::Store& store_;
    const store::Named named_;
    const image::Reference reference_;
};

// What an earlier writer left is hashed and gone on from.
Result<> take_over(store::BlobWriter& writer, const image::Descriptor& descriptor, archive::Hasher& hasher) {
    if (writer.written() > descriptor.size) return writer.restart();
    if (lseek(writer.fd(), 0, SEEK_SET) < 0) return os_error(errno, "reading a partial blob");
    std::vector<std::byte> room(1 << 18);
    for (uint64_t left = writer.written(); left > 0;) {
        ssize_t n = read(writer.fd(), room.data(), std::min<uint64_t>(room.size(), left));
        if (n <= 0) return n < 0 ? os_error(errno, "reading a partial blob") : writer.restart();
        hasher.update({room.data(), static_cast<size_t>(n)});
        left -= static_cast<uint64_t>(n);
    }
    return {};
}

Result<> fill(store::BlobWriter& writer, const image::Descriptor& descriptor, archive::Hasher& hasher,
              const registry::OpenBlob& open) {
    auto source = TRY(open(writer.written()));
    std::vector<std::byte> room(1 << 18);
    for (;;) {
        size_t n = TRY(source->read(room));
        if (n == 0) return {};
        if (writer.written() + n > descriptor.size) {
            writer.discard();
            return error(Errc::invalid, cat("blob ", descriptor.digest.text(), " is longer than the ", descriptor.size,
                                            " bytes that it should have"));
        }
        hasher.update({room.data(), n});
        TRY(writer.write({room.data(), n}));
    }
}

class StoreTarget final : public registry::ImageTarget {
  public:
    StoreTarget(std::shared_ptr<const store::Store> store, IntoStore into, Fd hold)
        : kept_(std::move(store)),
          store_(*kept_),
          into_(std::move(into)),
          reference_(in_store(into_.name)),
          hold_(std::move(hold)) {}

    const image::Reference& reference() const override { return reference_; }
    Result<bool> has_blob(const image::Descriptor& descriptor) override {
        return store::blob_size(store_, descriptor.digest) == descriptor.size;
    }

    Result<> put_blob(const image::Descriptor& descriptor, const registry::OpenBlob& open) override {
        auto writer = TRY(store::BlobWriter::begin(store_, descriptor.digest));
        if (!writer) return {};
        archive::Hasher hasher(registry::algorithm_of(descriptor.digest));
        TRY(take_over(*writer, descriptor, hasher));
        if (writer->written() == 0) hasher = archive::Hasher(registry::algorithm_of(descriptor.digest));
        TRY(fill(*writer, descriptor, hasher, open));
        std::string found = hasher.digest();
        if (writer->written() == descriptor.size && found == descriptor.digest.text()) {
            TRY(writer->commit(descriptor.digest));
            return unpack(descriptor);
        }
        Error wrong = error(Errc::invalid, cat("blob ", descriptor.digest.text(), " arrived with ", writer->written(), " of ",
                                               descriptor.size, " bytes and the digest ", found));
        // Cut short it can be gone on with; with other bytes it is worth nothing.
        if (writer->written() == descriptor.size) writer->discard();
        return wrong;
    }

    Result<> put_manifest(const ManifestBytes& manifest, Role role) override {
        TRY(store::add_blob(store_, manifest.digest, manifest.bytes));
        if (role == Role::top) top_ = manifest;
        return {};
    }

    Result<> commit(const std::vector<std::string>&) override {
        if (!top_) return error(Errc::failed, "an image was to be kept of which no manifest came");
        store::Named named{into_.name, top_->digest, std::nullopt, into_.source, static_cast<uint64_t>(time(nullptr))};
        image::Document document = TRY(image::parse_manifest(top_->bytes, top_->media_type));
        if (auto* index = std::get_if<image::Index>(&document)) {
            named.top = top_->digest;
            named.manifest = TRY(image::choose(*index, into_.platform)).digest;
        }
        store::Image image = TRY(store::read_image(store_, named));
        TRY(check_ids(image));
        TRY(unpack_layers(store_, image, into_.helper));
        return store::put_reference(store_, named);
    }

  private:
    // While others still come: what a layer is called is found then, and compared at the end.
    Result<> unpack(const image::Descriptor& layer) {
        if (layer.media_type.find(".layer.") == std::string::npos &&
            layer.media_type.find(".rootfs.") == std::string::npos)
            return {};
        std::string id = TRY(unpack_blob(store_, layer, into_.helper));
        std::lock_guard guard(mutex_);
        ids_.emplace(layer.digest, std::move(id));
        return {};
    }
    Result<> check_ids(const store::Image& image) const {
        for (size_t i = 0; i < image.manifest.layers.size(); ++i) {
            auto found = ids_.find(image.manifest.layers[i].digest);
            if (found == ids_.end() || found->second == image.config.diff_ids[i].text()) continue;
            return error(Errc::invalid, cat("layer ", found->first.text(),
                                            " is not what the image's configuration says: its diff id is ",
                                            found->second, " and not ", image.config.diff_ids[i].text()));
        }
        return {};
    }

    const std::shared_ptr<const store::Store> kept_;
    const store::Store& store_;
    const IntoStore into_;
    const image::Reference reference_;
    const Fd hold_;
    std::optional<ManifestBytes> top_;
    std::mutex mutex_;
    std::map<Digest, std::string> ids_;  // diff ids of the layers that came, by their blobs
};

}  // namespace

Result<std::unique_ptr<registry::ImageSource>> store_source(std::shared_ptr<const store::Store> store, const std::string& word) {
    store::Named named = TRY(store::get_reference(*store, word));
    return std::unique_ptr<registry::ImageSource>(new StoreSource(std::move(store), std::move(named)));
}

Result<std::unique_ptr<registry::ImageTarget>> store_target(std::shared_ptr<const store::Store> store, IntoStore into) {
    TRY(store::reference_file(into.name));
    Fd hold = TRY(store->hold());
    return std::unique_ptr<registry::ImageTarget>(new StoreTarget(std::move(store), std::move(into), std::move(hold)));
}

}  // namespace croft::images
