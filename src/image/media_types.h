// The media types of images: image-spec's (media-types.md) and those of Docker's image manifest, version 2 schema 2,
// which mean the same.
#pragma once

#include <string>
#include <string_view>

namespace croft::image {

inline constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view oci_config = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view oci_layer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view oci_empty = "application/vnd.oci.empty.v1+json";
inline constexpr std::string_view docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view docker_config = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view docker_layer = "application/vnd.docker.image.rootfs.diff.tar";

// Of a manifest or index: what says which one it is; "" for anything else.
enum class Family : unsigned char { none, oci, docker };
Family manifest_family(std::string_view media_type);
Family index_family(std::string_view media_type);

// What a layer's media type says of its bytes.
struct LayerKind {
    bool known = false;    // a tar archive, packed as told
    bool foreign = false;  // "nondistributable" or "foreign": registries do not keep it
    std::string_view compression;  // "", "gzip", "zstd"
};
LayerKind layer_kind(std::string_view media_type);
// The same kind of layer in the other family's words, with that compression ("", "gzip", "zstd"; Docker's family has no
// word for zstd: then OCI's).
std::string layer_media_type(Family family, std::string_view compression);

}  // namespace croft::image
