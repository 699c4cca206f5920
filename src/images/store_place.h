// The store as a place of images, like the others of registry/place.h: so that pull, push, copy, import and export of
// whatever has manifests are one copy. Called by the verbs of this folder.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "registry/place.h"
#include "store/store.h"

namespace croft::images {

// An image of the store by any word that finds one. A layer that was imported without compression is no file: it is made
// again from its tree when it is read.
Result<std::unique_ptr<registry::ImageSource>> store_source(std::shared_ptr<const store::Store> store, const std::string& word);

struct IntoStore {
    std::string name;         // under which it will be known
    std::string source;       // where it came from, as a reference
    std::string helper;       // path of croft-unpack
    image::Platform platform = image::host_platform();  // of an index: which image is unpacked and run
};
// Takes an image in: blobs at once, and at commit() the layers are unpacked and the name is given. Collection waits as
// long as the target lives. What an interrupted one left is gone on with.
Result<std::unique_ptr<registry::ImageTarget>> store_target(std::shared_ptr<const store::Store> store, IntoStore into);

}  // namespace croft::images
