#include "registry/gather.h"

#include <set>

#include "base/text.h"
#include "image/media_types.h"
#include "registry/blobs.h"
#include "registry/convert.h"

namespace croft::registry {

namespace {
using image::Descriptor;
using image::Digest;

// Of all manifests together; they are held in memory.
constexpr uint64_t most_bytes = 32 << 20;

class Gatherer {
  public:
    Gatherer(ImageSource& from, RepackedSource* repacked, const CopyOptions& options)
        : from_(from), repacked_(repacked), options_(options) {}

    Result<Gathered> run() {
        if (options_.which == Which::system) {
            ChosenImage chosen = TRY(choose_image(from_, options_.platform));
            TRY(take(std::move(chosen.bytes), 0));
        } else {
            ManifestBytes top = TRY(from_.manifest());
            TRY(take(std::move(top), 0));
        }
        return std::move(out_);
    }

  private:
    // What the manifest is called in the copy.
    Result<Descriptor> take(ManifestBytes bytes, unsigned depth) {
        if (depth > image::deepest_index)
            return error(Errc::invalid, cat("indexes in indexes, more than ", image::deepest_index, " deep: that is no image"));
        image::Document document = TRY(image::parse_manifest(bytes.bytes, bytes.media_type).within(bytes.digest.text()));
        if (auto* index = std::get_if<image::Index>(&document))
            TRY(take_children(bytes, *index, depth));
        else
            TRY(take_blobs(bytes, std::get<image::Manifest>(document)));
        total_ += bytes.bytes.size();
        if (total_ > most_bytes)
            return error(Errc::invalid,
                         cat("manifests of more than ", human_size(most_bytes), ": that is no image"));
        Descriptor now{.media_type = bytes.media_type, .digest = bytes.digest, .size = bytes.bytes.size()};
        if (seen_.insert(bytes.digest).second) out_.manifests.push_back(std::move(bytes));
        if (out_.manifests.size() > image::most_manifests)
            return error(Errc::invalid,
                         cat("more than ", image::most_manifests, " manifests: that is no image"));
        return now;
    }

    Result<> take_children(ManifestBytes& bytes, image::Index& index, unsigned depth) {
        bool changed = false;
        for (Descriptor& child : index.manifests) {
            if (options_.which == Which::index_only) break;
            auto known = renamed_.find(child.digest);
            if (known == renamed_.end()) {
                ManifestBytes below = TRY(from_.manifest(child.digest));
                Descriptor now = TRY(take(std::move(below), depth + 1));
                known = renamed_.emplace(child.digest, std::move(now)).first;
            }
            changed = changed || known->second.digest != child.digest;
            child.digest = known->second.digest, child.media_type = known->second.media_type, child.size = known->second.size;
        }
        if (options_.format != Format::keep) return convert_index(bytes, index, options_.format, changed);
        bool docker = image::index_family(index.media_type) == image::Family::docker;
        return changed ? convert_index(bytes, index, docker ? Format::docker : Format::oci, true) : Result<>();
    }

    Result<> take_blobs(ManifestBytes& bytes, image::Manifest& manifest) {
        for (const Descriptor& layer : manifest.layers)
            if (image::layer_kind(layer.media_type).foreign)
                return error(
                    Errc::unsupported,
                    cat("layer ", layer.digest.text(),
                        " is a foreign one: its bytes are not kept with the image",
                        layer.urls.empty() ? "" : cat(" but at ", quoted(layer.urls[0].substr(0, 200))),
                        ", and may not be copied by anybody"));
        // The format first: what it has no word for is told before a layer is packed.
        if (options_.format != Format::keep && repacked_) TRY(convert_first(bytes, manifest));
        if (repacked_ && TRY(repacked_->repack(manifest))) rewrite_manifest(bytes, manifest);
        add_blob(manifest.config);
        for (const Descriptor& layer : manifest.layers) add_blob(layer);
        return options_.format == Format::keep ? Result<>() : convert_manifest(bytes, manifest, options_.format);
    }

    Result<> convert_first(ManifestBytes& bytes, image::Manifest& manifest) {
        TRY(convert_manifest(bytes, manifest, options_.format));
        image::Document document = TRY(image::parse_manifest(bytes.bytes, bytes.media_type));
        manifest = std::move(std::get<image::Manifest>(document));
        return {};
    }

    void add_blob(const Descriptor& blob) {
        if (blobs_.insert(blob.digest).second) out_.blobs.push_back(blob);
    }

    ImageSource& from_;
    RepackedSource* repacked_;
    const CopyOptions& options_;
    Gathered out_;
    uint64_t total_ = 0;
    std::set<Digest> seen_, blobs_;
    std::map<Digest, Descriptor> renamed_;  // children that have been taken
};
}  // namespace

Result<Gathered> gather(ImageSource& from, RepackedSource* repacked, const CopyOptions& options) {
    return Gatherer(from, repacked, options).run();
}

}  // namespace croft::registry
