// The places in files, each made by open_source() and open_target() (place.h): only these include it.
#pragma once

#include <memory>
#include <string>

#include "registry/files.h"
#include "registry/place.h"

namespace croft::registry {

// Image-spec, image-layout.md. The annotation is the name of an image in it.
inline constexpr const char* layout_file = "oci-layout";
inline constexpr std::string_view layout_text = "{\"imageLayoutVersion\":\"1.0.0\"}";
inline constexpr const char* ref_name = "org.opencontainers.image.ref.name";
// What skopeo writes into "version" of its directories.
inline constexpr std::string_view dir_version = "Directory Transport Version: 1.1\n";

Result<std::unique_ptr<ImageSource>> open_layout(const image::Reference& reference, std::unique_ptr<Files> files);
Result<std::unique_ptr<ImageSource>> open_dir(const image::Reference& reference, std::unique_ptr<Files> files);
Result<std::unique_ptr<ImageSource>> open_docker_archive(const image::Reference& reference, std::unique_ptr<Files> files);

Result<std::unique_ptr<ImageTarget>> make_layout(const image::Reference& reference);
Result<std::unique_ptr<ImageTarget>> make_dir(const image::Reference& reference);
Result<std::unique_ptr<ImageTarget>> make_oci_archive(const image::Reference& reference);
Result<std::unique_ptr<ImageTarget>> make_docker_archive(const image::Reference& reference, const PlaceOptions& options);

// What index.json of a layout becomes when it gets this image: one of the same name, or of no name and the same digest,
// goes. `old` is empty in a new layout.
Result<std::string> index_with(std::string_view old, const ManifestBytes& top, const std::string& name);
image::Descriptor descriptor_of(const ManifestBytes& manifest);
// Of a digest: its file in a layout ("blobs/sha256/HEX").
std::string blob_path(const image::Digest& digest);

}  // namespace croft::registry
