// What belongs to an image that shall be copied: its manifests, children before what lists them, and its blobs, each once.
// Only copy.cc uses it.
#pragma once

#include <vector>

#include "registry/copy.h"

namespace croft::registry {

struct Gathered {
    std::vector<ManifestBytes> manifests;  // the last one is the top
    std::vector<image::Descriptor> blobs;
};

Result<Gathered> gather(ImageSource& from, const CopyOptions& options);

}  // namespace croft::registry
