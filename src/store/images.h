// Images of the store as a whole: manifest and configuration of a name, and whether all that a machine needs is there.
// Called by images/ and manager/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/config.h"
#include "image/manifest.h"
#include "store/references.h"
#include "store/store.h"

namespace croft::store {

struct Image {
    Named named;
    image::Manifest manifest;
    image::Config config;
    // Ids, the lowest first: as many as the manifest has layers.
    std::vector<std::string> layers() const;
};

// What its manifest and its configuration say. invalid where they do not fit each other.
Result<Image> read_image(const Store& store, const Named& named);
Result<Image> read_image(const Store& store, const image::Digest& manifest);

// By any word that finds one name (references.h).
Result<Image> get_image(const Store& store, std::string_view word);

// What people ask of an image first. One that cannot be read is not complete, and says why.
struct Summary {
    Named named;
    image::Config config;
    std::string platform;  // "linux/arm64/v8"
    uint64_t bytes = 0;    // of the regular files of all its layers, unpacked
    bool complete = true;
    std::string mistake;
};
Summary summarize(const Store& store, Named named);

// Layers that are not unpacked, lowest first: an image that has some is incomplete and cannot be run yet.
Result<std::vector<std::string>> missing_layers(const Store& store, const Image& image);
// wrong_state names the image and says what to do.
Result<> check_complete(const Store& store, const Image& image);
// Blobs of layers that are not there and cannot be made again from a layer: such an image cannot be pushed or exported.
Result<std::vector<image::Digest>> missing_blobs(const Store& store, const Image& image);

}  // namespace croft::store
