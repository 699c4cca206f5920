// skopeo's directories: manifest.json, one file for each blob, named by the hexadecimal part of its digest, and
// HEX.manifest.json for what an index lists.
#include "base/text.h"
#include "registry/blobs.h"
#include "registry/layout.h"

namespace croft::registry {

namespace {
class DirSource : public ImageSource {
  public:
    DirSource(image::Reference reference, std::unique_ptr<Files> files, std::string top)
        : reference_(std::move(reference)), files_(std::move(files)), top_(std::move(top)) {}

    const image::Reference& reference() const override { return reference_; }

    Result<ManifestBytes> manifest(const std::optional<image::Digest>& digest) override {
        if (!digest || digest_of(top_, *digest) == *digest) return made(top_, digest);
        std::string bytes = TRY(files_->read(cat(digest->hex(), ".manifest.json"), image::largest_manifest));
        image::Digest found = digest_of(bytes, *digest);
        if (found != *digest)
            return error(Errc::invalid, cat("manifest ", digest->text(), " in ", quoted(files_->path()),
                                            " holds other bytes than that (", found.text(), ")"));
        return made(std::move(bytes), digest);
    }

    Result<std::unique_ptr<Source>> blob(const image::Descriptor& descriptor, uint64_t offset) override {
        return files_->open(std::string(descriptor.digest.hex()), offset);
    }

  private:
    Result<ManifestBytes> made(std::string bytes, const std::optional<image::Digest>& digest) {
        std::string media_type = TRY(image::detect_media_type(bytes));
        image::Digest own = digest ? *digest : digest_of(bytes);
        return ManifestBytes{std::move(bytes), std::move(media_type), std::move(own)};
    }

    image::Reference reference_;
    std::unique_ptr<Files> files_;
    std::string top_;  // read once: what policy has seen is what is copied
};
}  // namespace

Result<std::unique_ptr<ImageSource>> open_dir(const image::Reference& reference, std::unique_ptr<Files> files) {
    if (!files->has("manifest.json"))
        return error(
            Errc::invalid,
            cat(quoted(files->path()),
                " is a tree, or something else, but no image as skopeo's dir: lays it out (there is no "
                "manifest.json); `croft image import dir:",
                files->path(), "` makes an image of a tree"));
    std::string top = TRY(files->read("manifest.json", image::largest_manifest));
    return std::make_unique<DirSource>(reference, std::move(files), std::move(top));
}

}  // namespace croft::registry
