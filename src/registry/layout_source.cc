// Images in an OCI layout, in a directory or in an archive (image-layout.md).
#include <algorithm>

#include "base/text.h"
#include "image/media_types.h"
#include "registry/blobs.h"
#include "registry/layout.h"

namespace croft::registry {

namespace {
using image::Descriptor;
using image::Digest;

class LayoutSource : public ImageSource {
  public:
    LayoutSource(image::Reference reference, std::unique_ptr<Files> files, Descriptor top)
        : reference_(std::move(reference)), files_(std::move(files)), top_(std::move(top)) {}

    const image::Reference& reference() const override { return reference_; }

    Result<ManifestBytes> manifest(const std::optional<Digest>& digest) override {
        const Digest& wanted = digest ? *digest : top_.digest;
        std::string bytes = TRY(files_->read(blob_path(wanted), image::largest_manifest));
        Digest found = digest_of(bytes, wanted);
        if (found != wanted)
            return error(Errc::invalid, cat("manifest ", wanted.text(), " in ", quoted(files_->path()),
                                            " holds other bytes than that (", found.text(), ")"));
        std::string media_type = wanted == top_.digest ? top_.media_type : "";
        if (image::index_family(media_type) == image::Family::none && image::manifest_family(media_type) == image::Family::none)
            media_type = TRY(image::detect_media_type(bytes));
        return ManifestBytes{std::move(bytes), std::move(media_type), wanted};
    }

    Result<std::unique_ptr<Source>> blob(const Descriptor& descriptor, uint64_t offset) override {
        return files_->open(blob_path(descriptor.digest), offset);
    }

    std::vector<std::string> names() const override {
        auto name = top_.annotations.find(ref_name);
        return name == top_.annotations.end() ? std::vector<std::string>() : std::vector{name->second};
    }

  private:
    image::Reference reference_;
    std::unique_ptr<Files> files_;
    Descriptor top_;
};

std::string name_of(const Descriptor& descriptor) {
    auto name = descriptor.annotations.find(ref_name);
    return name == descriptor.annotations.end() ? "" : name->second;
}

// For the error: what there would be.
std::string offered(const image::Index& index) {
    std::string out;
    for (const Descriptor& one : index.manifests)
        if (out.size() < 200)
            out += cat(out.empty() ? "" : ", ",
                       name_of(one).empty() ? one.digest.brief() : quoted(name_of(one).substr(0, 100)));
    return out.empty() ? "; it has none at all" : cat("; there is ", out);
}

Result<Descriptor> pick(const image::Index& index, const image::Reference& reference) {
    auto missing = [&](std::string_view what) {
        return error(Errc::not_found, cat("there is no image ", what, " in it", offered(index)));
    };
    if (reference.index) {
        if (*reference.index >= index.manifests.size()) return missing(cat("@", *reference.index));
        return index.manifests[*reference.index];
    }
    if (reference.digest) {
        auto found = std::ranges::find(index.manifests, *reference.digest, &Descriptor::digest);
        if (found == index.manifests.end()) return missing(reference.digest->text());
        return *found;
    }
    if (!reference.tag.empty()) {
        for (const Descriptor& one : index.manifests)
            if (name_of(one) == reference.tag) return one;
        return missing(quoted(reference.tag));
    }
    if (index.manifests.size() == 1) return index.manifests[0];
    if (index.manifests.empty()) return missing("at all");
    return error(Errc::invalid, cat("it holds ", index.manifests.size(), " images; say which one: ",
                                    reference.text(), ":NAME, or :@0 for the first", offered(index)));
}
}  // namespace

std::string blob_path(const Digest& digest) {
    return cat("blobs/", digest.path());
}

Descriptor descriptor_of(const ManifestBytes& manifest) {
    return Descriptor{.media_type = manifest.media_type, .digest = manifest.digest, .size = manifest.bytes.size()};
}

Result<std::string> index_with(std::string_view old, const ManifestBytes& top, const std::string& name) {
    image::Index index{.media_type = std::string(image::oci_index)};
    if (!old.empty()) {
        image::Document document = TRY(image::parse_manifest(old, image::oci_index));
        index = std::get<image::Index>(document);
    }
    std::erase_if(index.manifests, [&](const Descriptor& one) {
        return name.empty() ? name_of(one).empty() && one.digest == top.digest : name_of(one) == name;
    });
    Descriptor descriptor = descriptor_of(top);
    if (!name.empty()) descriptor.annotations[ref_name] = name;
    index.manifests.push_back(std::move(descriptor));
    return image::index_json(index);
}

Result<std::unique_ptr<ImageSource>> open_layout(const image::Reference& reference, std::unique_ptr<Files> files) {
    if (!files->has("index.json"))
        return error(Errc::invalid, cat(quoted(files->path()), " is no OCI layout: there is no index.json in it"));
    std::string bytes = TRY(files->read("index.json", image::largest_manifest));
    // The file may leave its media type out, but may not be anything else.
    auto document = image::parse_manifest(bytes, image::oci_index);
    if (!document) return std::move(document).error().within(cat(files->path(), "/index.json"));
    auto* index = std::get_if<image::Index>(&*document);
    if (!index) return error(Errc::invalid, cat(quoted(cat(files->path(), "/index.json")), " is no index"));
    Descriptor top = TRY(pick(*index, reference).within(files->path()));
    return std::make_unique<LayoutSource>(reference, std::move(files), std::move(top));
}

}  // namespace croft::registry
