// Writes images into new archives: oci-archive: is an OCI layout in tar, docker-archive: what `docker load` takes. Both are
// written to a hidden file that takes its place when it is whole.
#include <fcntl.h>

#include <algorithm>
#include <map>
#include <set>

#include "archive/compression.h"
#include "archive/streams.h"
#include "base/text.h"
#include "format/json_writer.h"
#include "image/media_types.h"
#include "registry/blobs.h"
#include "registry/layout.h"
#include "registry/staging.h"
#include "registry/tar_writer.h"

namespace croft::registry {

namespace {
using image::Descriptor;
using image::Digest;

class OciArchiveTarget : public ImageTarget {
  public:
    OciArchiveTarget(image::Reference reference, Staging staging)
        : reference_(std::move(reference)), staging_(std::move(staging)), tar_(staging_.fd(), reference_.path) {}

    const image::Reference& reference() const override { return reference_; }
    Result<bool> has_blob(const Descriptor&) override { return false; }
    Result<> put_blob(const Descriptor& descriptor, const OpenBlob& open) override {
        std::unique_ptr<Source> source = checked(TRY(open(0)), descriptor);
        return tar_.add(blob_path(descriptor.digest), descriptor.size, *source);
    }
    Result<> put_manifest(const ManifestBytes& manifest, Role role) override {
        if (role == Role::top) top_ = manifest;
        return tar_.add(blob_path(manifest.digest), manifest.bytes);
    }
    Result<> commit(const std::vector<std::string>&) override {
        if (!top_) return error(Errc::invalid, "there is no manifest to name");
        TRY(tar_.add(layout_file, layout_text));
        std::string index = TRY(index_with("", *top_, reference_.tag));
        TRY(tar_.add("index.json", index));
        TRY(tar_.finish());
        return staging_.place(Staging::Replace::yes);
    }

  private:
    image::Reference reference_;
    Staging staging_;
    TarWriter tar_;
    std::optional<ManifestBytes> top_;
};

// Layers are kept unpacked in it, so their blobs get another digest there: that of the configuration.
class DockerArchiveTarget : public ImageTarget {
  public:
    DockerArchiveTarget(image::Reference reference, Staging staging, std::vector<std::string> more_names)
        : reference_(std::move(reference)),
          staging_(std::move(staging)),
          tar_(staging_.fd(), reference_.path),
          more_names_(std::move(more_names)) {}

    const image::Reference& reference() const override { return reference_; }
    bool keeps_digests() const override { return false; }
    Result<bool> has_blob(const Descriptor&) override { return false; }

    std::string refuses(std::string_view media_type) const override {
        return image::index_family(media_type) == image::Family::none
                   ? ""
                   : "an archive of docker's holds no index, only images of one platform; leave out --all";
    }

    Result<> put_blob(const Descriptor& descriptor, const OpenBlob& open) override {
        if (descriptor.media_type == image::oci_config || descriptor.media_type == image::docker_config)
            return put_config(descriptor, open);
        image::LayerKind kind = image::layer_kind(descriptor.media_type);
        if (!kind.known)
            return error(Errc::unsupported,
                         cat("an archive of docker's cannot hold ", quoted(descriptor.media_type),
                             ", which is no layer and no configuration of an image"));
        archive::Compression compression = kind.compression.empty()
                                               ? archive::Compression::none
                                               : *archive::compression_of(kind.compression);
        std::unique_ptr<Source> source = checked(TRY(open(0)), descriptor);
        source = TRY(archive::decompress(std::move(source), compression));
        archive::Hasher hasher;
        source = archive::tee(std::move(source), nullptr, &hasher);
        Result<> added = tar_.add_growing(*source, [&](uint64_t) -> Result<std::string> {
            Digest diff_id = TRY(Digest::parse(hasher.digest()));
            layers_.emplace(descriptor.digest, diff_id);
            // Two blobs may hold the same layer in two packings.
            return written_.insert(diff_id).second ? file_of(diff_id) : "";
        });
        return std::move(added).within(cat("layer ", descriptor.digest.text()));
    }

    Result<> put_manifest(const ManifestBytes& manifest, Role) override {
        image::Document document = TRY(image::parse_manifest(manifest.bytes, manifest.media_type));
        manifest_ = std::get<image::Manifest>(document);
        return {};
    }

    Result<> commit(const std::vector<std::string>& source_names) override {
        if (!manifest_) return error(Errc::invalid, "there is no manifest to name");
        if (manifest_->layers.size() != config_.diff_ids.size())
            return error(Errc::invalid,
                         cat("the manifest has ", manifest_->layers.size(),
                             " layers, and the configuration counts ", config_.diff_ids.size()));
        for (size_t i = 0; i < manifest_->layers.size(); ++i) TRY(check_layer(manifest_->layers[i], config_.diff_ids[i]));
        TRY(tar_.add("manifest.json", listing(source_names)));
        TRY(tar_.finish());
        return staging_.place(Staging::Replace::yes);
    }

  private:
    static std::string with_tag(const std::string& name) {
        size_t colon = name.rfind(':'), slash = name.rfind('/');
        bool tagged = colon != std::string::npos && (slash == std::string::npos || colon > slash);
        return tagged ? name : cat(name, ":latest");
    }
    static std::string file_of(const Digest& digest) { return cat(digest.hex(), ".tar"); }

    Result<> put_config(const Descriptor& descriptor, const OpenBlob& open) {
        std::unique_ptr<Source> source = checked(TRY(open(0)), descriptor);
        std::string bytes = TRY(archive::read_all(*source, image::largest_config));
        config_ = TRY(image::parse_config(bytes));
        return tar_.add(cat(descriptor.digest.hex(), ".json"), bytes);
    }

    Result<> check_layer(const Descriptor& layer, const Digest& diff_id) {
        auto found = layers_.find(layer.digest);
        if (found != layers_.end() && found->second == diff_id) return {};
        return error(Errc::invalid,
                     cat("layer ", layer.digest.text(), " is not the one that the configuration means (",
                         diff_id.text(), ")"));
    }

    // The names: what the reference says, else what the source has.
    std::string listing(const std::vector<std::string>& source_names) {
        std::vector<std::string> names = source_names;
        if (!reference_.tag.empty()) {
            names = {with_tag(reference_.tag)};
        }
        for (const std::string& more : more_names_) names.push_back(with_tag(more));
        format::JsonWriter json(format::JsonStyle::compact);
        json.begin_array().begin_object().member("Config", cat(manifest_->config.digest.hex(), ".json"));
        json.key("RepoTags").begin_array();
        for (const std::string& name : names) json.value(name);
        json.end_array().key("Layers").begin_array();
        for (const Digest& diff_id : config_.diff_ids) json.value(file_of(diff_id));
        json.end_array().end_object().end_array();
        return json.take();
    }

    image::Reference reference_;
    Staging staging_;
    TarWriter tar_;
    std::vector<std::string> more_names_;
    image::Config config_;
    std::optional<image::Manifest> manifest_;
    std::map<Digest, Digest> layers_;  // blob to diff id; written under the tar's lock
    std::set<Digest> written_;
};

// A device or FIFO (/dev/stdout) could not be written here and there.
Result<Staging> new_archive(const image::Reference& reference) {
    struct stat status;
    if (!stat(reference.path.c_str(), &status) && !S_ISREG(status.st_mode))
        return error(Errc::exists, cat(quoted(reference.path), " is there and is no file, so no archive can take its place"));
    if (reference.digest || reference.index)
        return error(Errc::invalid,
                     cat(quoted(reference.text()),
                         ": what is written can have a name behind the path, but its digest is what it is"));
    return Staging::make(reference.path, Staging::Kind::file);
}
}  // namespace

Result<std::unique_ptr<ImageTarget>> make_oci_archive(const image::Reference& reference) {
    return std::make_unique<OciArchiveTarget>(reference, TRY(new_archive(reference)));
}

Result<std::unique_ptr<ImageTarget>> make_docker_archive(const image::Reference& reference, const PlaceOptions& options) {
    return std::make_unique<DockerArchiveTarget>(reference, TRY(new_archive(reference)), options.additional_tags);
}

}  // namespace croft::registry
