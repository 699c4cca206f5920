// A manifest in the other format: OCI's or Docker's schema 2. They differ in media types alone, so layers and configuration
// stay what they are.
#pragma once

#include "registry/copy.h"

namespace croft::registry {

// Both leave bytes that are of that format already alone. Docker's format has no layers packed with zstd and no artifacts:
// these are errors.
Result<> convert_manifest(ManifestBytes& bytes, image::Manifest manifest, Format format);
// `changed`: the index lists other digests than its bytes do.
Result<> convert_index(ManifestBytes& bytes, image::Index index, Format format, bool changed);

// The manifest's bytes and digest, when it says something else than it did.
void rewrite_manifest(ManifestBytes& bytes, const image::Manifest& manifest);

}  // namespace croft::registry
