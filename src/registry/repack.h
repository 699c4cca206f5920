// Layers packed anew on their way: skopeo's --dest-compress-format. Only copy.cc and gather.cc use it.
#pragma once

#include <map>

#include "base/fd.h"
#include "image/media_types.h"
#include "registry/copy.h"

namespace croft::registry {

// A source, some of whose layers are others than they were. Repacked layers lie in temporary files without a name for as long
// as this lives. Layers of unknown kinds, and those that are packed so already, stay what they are.
class RepackedSource : public ImageSource {
  public:
    RepackedSource(ImageSource& from, const Repack& how) : from_(from), how_(how) {}
    // Packs the layers that the manifest lists, and lists the new ones. Whether there are any.
    Result<bool> repack(image::Manifest& manifest);

    const image::Reference& reference() const override { return from_.reference(); }
    Result<ManifestBytes> manifest(const std::optional<image::Digest>& digest = {}) override { return from_.manifest(digest); }
    Result<std::unique_ptr<Source>> blob(const image::Descriptor& descriptor, uint64_t offset = 0) override;
    std::vector<std::string> names() const override { return from_.names(); }

  private:
    Result<image::Descriptor> packed(const image::Descriptor& layer, image::Family family);

    ImageSource& from_;
    const Repack& how_;
    std::map<image::Digest, Fd> files_;                   // by the new digest
    std::map<image::Digest, image::Descriptor> renamed_;  // by the old one
};

}  // namespace croft::registry
