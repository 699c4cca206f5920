// What belongs to an image that shall be copied: its manifests, children before what lists them, and its blobs, each once.
// Only copy.cc uses it.
#pragma once

#include <vector>

#include "registry/copy.h"
#include "registry/repack.h"

namespace croft::registry {

struct Gathered {
    std::vector<ManifestBytes> manifests;  // the last one is the top
    std::vector<image::Descriptor> blobs;
};

// `repacked`: the same source, where layers are to be packed anew; else null.
Result<Gathered> gather(ImageSource& from, RepackedSource* repacked, const CopyOptions& options);

}  // namespace croft::registry
