#include "image/media_types.h"

#include "base/text.h"

namespace croft::image {

Family manifest_family(std::string_view media_type) {
    return media_type == oci_manifest ? Family::oci : media_type == docker_manifest ? Family::docker : Family::none;
}

Family index_family(std::string_view media_type) {
    return media_type == oci_index ? Family::oci : media_type == docker_list ? Family::docker : Family::none;
}

LayerKind layer_kind(std::string_view media_type) {
    struct Row {
        std::string_view prefix;
        bool foreign;
        char before_compression;
    };
    constexpr Row rows[] = {{oci_layer, false, '+'},
                            {"application/vnd.oci.image.layer.nondistributable.v1.tar", true, '+'},
                            {docker_layer, false, '.'},
                            {"application/vnd.docker.image.rootfs.foreign.diff.tar", true, '.'}};
    for (const Row& row : rows) {
        if (!media_type.starts_with(row.prefix)) continue;
        std::string_view rest = media_type.substr(row.prefix.size());
        if (rest.empty()) return {true, row.foreign, ""};
        if (rest[0] != row.before_compression) continue;
        rest.remove_prefix(1);
        for (std::string_view compression : {"gzip", "zstd"})
            if (rest == compression) return {true, row.foreign, compression};
    }
    return {};
}

std::string layer_media_type(Family family, std::string_view compression) {
    bool docker = family == Family::docker && compression != "zstd";
    if (docker) return cat(docker_layer, compression.empty() ? "" : ".", compression);
    return cat(oci_layer, compression.empty() ? "" : "+", compression);
}

}  // namespace croft::image
