#include "registry/convert.h"

#include "base/text.h"
#include "image/media_types.h"
#include "registry/blobs.h"

namespace croft::registry {

namespace {
using image::Descriptor;
using image::Family;

Family family_of(Format format) {
    return format == Format::docker ? Family::docker : Family::oci;
}

void rewrite(ManifestBytes& bytes, std::string text, std::string_view media_type) {
    bytes.digest = digest_of(text, bytes.digest);
    bytes.bytes = std::move(text);
    bytes.media_type = media_type;
}

Result<> convert_layer(Descriptor& layer, Family family) {
    image::LayerKind kind = image::layer_kind(layer.media_type);
    if (!kind.known)
        return error(Errc::unsupported, cat("layer ", layer.digest.text(), " is ", quoted(layer.media_type),
                                            ", which the other format has no word for"));
    if (family == Family::docker && kind.compression == "zstd")
        return error(Errc::unsupported, cat("layer ", layer.digest.text(),
                                            " is packed with zstd, which Docker's schema 2 does not have; "
                                            "copy it as OCI (--format=oci)"));
    layer.media_type = image::layer_media_type(family, kind.compression);
    return {};
}
}  // namespace

Result<> convert_manifest(ManifestBytes& bytes, image::Manifest manifest, Format format) {
    Family family = family_of(format);
    if (image::manifest_family(manifest.media_type) == family) return {};
    bool image = manifest.config.media_type == image::oci_config || manifest.config.media_type == image::docker_config;
    if (!image || !manifest.artifact_type.empty())
        return error(Errc::unsupported, cat("manifest ", bytes.digest.text(),
                                            " is no image but an artifact; it can only be copied as it is"));
    for (Descriptor& layer : manifest.layers) TRY(convert_layer(layer, family));
    manifest.config.media_type = family == Family::docker ? image::docker_config : image::oci_config;
    manifest.media_type = family == Family::docker ? image::docker_manifest : image::oci_manifest;
    if (family == Family::docker) manifest.annotations.clear(), manifest.subject.reset();
    rewrite(bytes, image::manifest_json(manifest), manifest.media_type);
    return {};
}

void rewrite_manifest(ManifestBytes& bytes, const image::Manifest& manifest) {
    rewrite(bytes, image::manifest_json(manifest), manifest.media_type);
}

Result<> convert_index(ManifestBytes& bytes, image::Index index, Format format, bool changed) {
    Family family = family_of(format);
    if (image::index_family(index.media_type) == family && !changed) return {};
    index.media_type = family == Family::docker ? image::docker_list : image::oci_index;
    if (family == Family::docker) index.annotations.clear(), index.subject.reset();
    rewrite(bytes, image::index_json(index), index.media_type);
    return {};
}

}  // namespace croft::registry
