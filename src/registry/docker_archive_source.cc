// What `docker save` and podman write: manifest.json lists images, each with its configuration and its layers as tar
// archives. There is no manifest in it, so one is made; it is the same every time.
#include <algorithm>

#include "archive/compression.h"
#include "archive/streams.h"
#include "base/text.h"
#include "format/json_read.h"
#include "image/config.h"
#include "image/media_types.h"
#include "registry/blobs.h"
#include "registry/layout.h"

namespace croft::registry {

namespace {
using format::JsonNotes;
using format::JsonRow;
using image::Descriptor;
using image::Digest;

struct Saved {
    std::string config;
    std::vector<std::string> names, layers;
};

constexpr JsonRow<Saved> saved_rows[] = {
    {"Config", format::json_text_row<&Saved::config>, format::Presence::required},
    {"RepoTags", format::json_texts_row<&Saved::names>},
    {"Layers", format::json_texts_row<&Saved::layers>, format::Presence::required},
};

class DockerArchiveSource : public ImageSource {
  public:
    DockerArchiveSource(image::Reference reference, std::unique_ptr<Files> files, std::vector<std::string> names)
        : reference_(std::move(reference)), files_(std::move(files)), names_(std::move(names)) {}

    const image::Reference& reference() const override { return reference_; }
    std::vector<std::string> names() const override { return names_; }

    Result<ManifestBytes> manifest(const std::optional<Digest>& digest) override {
        if (digest && *digest != manifest_->digest)
            return error(Errc::not_found, cat("there is no manifest ", digest->text(), " in ", quoted(files_->path())));
        return *manifest_;
    }

    Result<std::unique_ptr<Source>> blob(const Descriptor& descriptor, uint64_t offset) override {
        auto found = blobs_.find(descriptor.digest);
        if (found == blobs_.end())
            return error(Errc::not_found,
                         cat("there is no blob ", descriptor.digest.text(), " in ", quoted(files_->path())));
        return files_->open(found->second, offset);
    }

    // Makes the manifest. Layers that are packed are hashed for it; of others the configuration has the digest.
    Result<> prepare(const Saved& saved) {
        std::string config = TRY(files_->read(saved.config, image::largest_config));
        image::Config parsed = TRY(image::parse_config(config).within(files_->path()));
        if (parsed.diff_ids.size() != saved.layers.size())
            return error(Errc::invalid,
                         cat(quoted(files_->path()), " has ", saved.layers.size(),
                             " layers, and its configuration counts ", parsed.diff_ids.size()));
        image::Manifest manifest{.media_type = std::string(image::docker_manifest),
                                 .config = {.media_type = std::string(image::docker_config),
                                            .digest = digest_of(config),
                                            .size = config.size()}};
        blobs_.emplace(manifest.config.digest, saved.config);
        for (size_t i = 0; i < saved.layers.size(); ++i)
            manifest.layers.push_back(TRY(layer(saved.layers[i], parsed.diff_ids[i])));
        std::string bytes = image::manifest_json(manifest);
        Digest own = digest_of(bytes);
        manifest_ = ManifestBytes{std::move(bytes), manifest.media_type, std::move(own)};
        return {};
    }

  private:
    Result<Descriptor> layer(const std::string& file, const Digest& diff_id) {
        uint64_t size = TRY(files_->size(file));
        std::string first;
        std::unique_ptr<Source> source = TRY(files_->open(file, 0));
        source = TRY(archive::peek(std::move(source), archive::sniff_length, first));
        archive::Compression compression = archive::sniff(std::as_bytes(std::span(first)));
        Descriptor out{.media_type = std::string(image::docker_layer), .digest = diff_id, .size = size};
        if (compression == archive::Compression::gzip || compression == archive::Compression::zstd) {
            archive::Hasher hasher;
            std::unique_ptr<Source> hashed = archive::tee(std::move(source), nullptr, &hasher);
            std::byte room[65536];
            while (TRY(hashed->read(room))) {}
            out.digest = TRY(Digest::parse(hasher.digest()));
            out.media_type = image::layer_media_type(image::Family::docker, archive::name_of(compression));
        } else if (compression != archive::Compression::none) {
            return error(Errc::unsupported,
                         cat("layer ", quoted(file), " in ", quoted(files_->path()), " is packed with ",
                             archive::name_of(compression), ", which images cannot be"));
        }
        blobs_.emplace(out.digest, file);
        return out;
    }

    image::Reference reference_;
    std::unique_ptr<Files> files_;
    std::vector<std::string> names_;
    std::optional<ManifestBytes> manifest_;
    std::map<Digest, std::string> blobs_;
};

// "busybox" and "busybox:latest" are the same name; so are those with and without a registry that is only a default.
bool same_name(std::string_view wanted, std::string_view name) {
    size_t colon = wanted.rfind(':'), slash = wanted.rfind('/');
    bool tagged = colon != wanted.npos && (slash == wanted.npos || colon > slash);
    std::string full = tagged ? std::string(wanted) : cat(wanted, ":latest");
    return name == full || name.ends_with(cat("/", full));
}

Result<const Saved*> pick(const std::vector<Saved>& images, const image::Reference& reference) {
    if (reference.digest)
        return error(
            Errc::invalid,
            "an archive of docker's holds no digests of manifests; name the image by NAME:TAG or :@N");
    if (reference.index) {
        if (*reference.index >= images.size())
            return error(Errc::not_found,
                         cat("there is no image @", *reference.index, " in it; it has ", images.size()));
        return &images[*reference.index];
    }
    std::string offered;
    for (const Saved& one : images)
        for (const std::string& name : one.names) {
            if (!reference.tag.empty() && same_name(reference.tag, name)) return &one;
            if (offered.size() < 200) offered += cat(offered.empty() ? "" : ", ", quoted(name.substr(0, 100)));
        }
    if (!reference.tag.empty())
        return error(Errc::not_found, cat("there is no image ", quoted(reference.tag), " in it; there is ",
                                          offered.empty() ? "none with a name" : offered));
    if (images.size() == 1) return &images[0];
    return error(Errc::invalid,
                 cat("it holds ", images.size(), " images; say which one: ", reference.text(),
                     ":NAME:TAG, or :@0 for the first", offered.empty() ? "" : cat("; there is ", offered)));
}

Result<std::vector<Saved>> read_saved(const Files& files) {
    if (!files.has("manifest.json"))
        return error(Errc::invalid, cat(quoted(files.path()),
                                        " is no archive of `docker save`: there is no manifest.json in it"));
    std::string bytes = TRY(files.read("manifest.json", image::largest_manifest));
    auto read = [&]() -> Result<std::vector<Saved>> {
        auto document = TRY(format::json_parse(bytes));
        std::vector<Saved> out;
        JsonNotes notes{.unknown = JsonNotes::Unknown::warn};
        TRY(format::json_list(document.root(), saved_rows, out, notes));
        return out;
    };
    return read().within(cat(files.path(), "/manifest.json"));
}
}  // namespace

Result<std::unique_ptr<ImageSource>> open_docker_archive(const image::Reference& reference, std::unique_ptr<Files> files) {
    std::vector<Saved> images = TRY(read_saved(*files));
    const Saved* saved = TRY(pick(images, reference).within(files->path()));
    auto out = std::make_unique<DockerArchiveSource>(reference, std::move(files), saved->names);
    TRY(out->prepare(*saved));
    return out;
}

}  // namespace croft::registry
