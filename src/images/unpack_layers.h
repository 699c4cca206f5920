// From blobs to trees: the layers of an image, unpacked in croft-unpack's sandbox, several at a time.
#pragma once

#include <string>

#include "archive/unpack.h"
#include "base/result.h"
#include "store/images.h"

namespace croft::images {

// How the store's trees are unpacked: what a layer hides as overlayfs tells it; who is not root of the host owns all.
archive::UnpackOptions tree_options(const std::string& helper);

// A layer whose diff id is not told yet, from its blob; what the id is.
Result<std::string> unpack_blob(const store::Store& store, const image::Descriptor& layer, const std::string& helper);
// One layer whose blob is there; nothing is done for one that is unpacked already. A layer whose archive has another diff id
// than the configuration says is an error that names both, and does not come in.
Result<> unpack_layer(const store::Store& store, const image::Descriptor& layer, const image::Digest& diff_id,
                      const std::string& helper);
// Those of an image that are not there yet.
Result<> unpack_layers(const store::Store& store, const store::Image& image, const std::string& helper);

}  // namespace croft::images
