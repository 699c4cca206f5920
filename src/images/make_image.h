// Images of what is no image yet: a layer from an archive or a directory, and manifest and configuration around layers.
// Called by the verbs import and commit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/stream.h"
#include "image/config.h"
#include "image/manifest.h"
#include "store/references.h"
#include "store/store.h"

namespace croft::images {

struct NewLayer {
    image::Descriptor blob;
    image::Digest diff_id;
};

// From where `archive` stands to its end: a tar archive, compressed or not. A compressed one is kept as it is; of a plain one
// the tree is kept and a recipe, from which the same bytes are made again. `what` names it in errors.
Result<NewLayer> layer_from_archive(const store::Store& store, Fd archive, const std::string& what, const std::string& helper);
Result<NewLayer> layer_from_archive(const store::Store& store, std::unique_ptr<Source> archive, const std::string& what,
                                    const std::string& helper);
// All that is below the directory, mounts not; its times and owners stay.
Result<NewLayer> layer_from_directory(const store::Store& store, const std::string& path, const std::string& helper);

struct NewImage {
    std::string name, source;
    image::Config config;          // diff_ids are filled in here
    std::vector<NewLayer> layers;  // bottom first
};
// Writes configuration and manifest, then the name. The caller holds the store.
Result<store::Named> make_image(const store::Store& store, NewImage image);

// RFC 3339, of now or of SOURCE_DATE_EPOCH.
std::string creation_time();

}  // namespace croft::images
