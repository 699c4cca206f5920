// Places where images lie, each as a source or a target: a registry, an OCI layout, the archives of `docker save` and of
// OCI, skopeo's directories; the store joins them in images/store_place.h. What moves an image from any to any is
// copy.h.
//
// Both interfaces may be used from several threads at once. Nothing here keeps more than a few buffers in memory,
// whatever a blob's size.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stream.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "registry/options.h"

namespace croft::registry {

// A manifest or index as it is, with the digest that its bytes have.
struct ManifestBytes {
    std::string bytes;
    std::string media_type;
    image::Digest digest;
};

class ImageSource {
  public:
    virtual ~ImageSource() = default;
    // For messages and policy: the reference that was opened.
    virtual const image::Reference& reference() const = 0;
    // The image that the reference names, or one of its index by digest. The bytes have been checked against the digest
    // where one is known; they may be no manifest all the same.
    virtual Result<ManifestBytes> manifest(const std::optional<image::Digest>& digest = {}) = 0;
    // The bytes of a blob from `offset` (at most its size) on. They are not checked: who keeps them does that (checked()
    // in blobs.h). A cut connection has been mended below this, as often as the options allow.
    virtual Result<std::unique_ptr<Source>> blob(const image::Descriptor& descriptor, uint64_t offset = 0) = 0;
    // Names under which the place has this image, for targets that keep names (docker-archive:). Usually none.
    virtual std::vector<std::string> names() const { return {}; }
};

// Opens the same blob's bytes from an offset on, as often as need be.
using OpenBlob = std::function<Result<std::unique_ptr<Source>>(uint64_t offset)>;

// The order of calls: blobs (in any order and number at a time), then manifests, children before what lists them, then
// commit(). Until commit() has returned nothing of the image can be seen under its name; a target that goes without it
// leaves nothing half-made.
class ImageTarget {
  public:
    virtual ~ImageTarget() = default;
    virtual const image::Reference& reference() const = 0;
    virtual Result<bool> has_blob(const image::Descriptor& descriptor) = 0;
    // Whether it got the blob from `source` without moving its bytes (another repository of one registry).
    virtual Result<bool> try_mount(const image::Descriptor&, const ImageSource&) { return false; }
    // Keeps a blob whose bytes have that digest and size; anything else is an error, and is not kept.
    virtual Result<> put_blob(const image::Descriptor& descriptor, const OpenBlob& open) = 0;
    // `top`: what the target's reference shall name.
    enum class Role : unsigned char { child, top };
    virtual Result<> put_manifest(const ManifestBytes& manifest, Role role) = 0;
    // `source_names` are the source's names().
    virtual Result<> commit(const std::vector<std::string>& source_names) = 0;
    // What the place cannot hold is said before anything is moved: "" when it can.
    virtual std::string refuses(std::string_view /*media_type*/) const { return ""; }
    // A place that keeps layers unpacked (docker-archive:) changes digests, so copies cannot preserve them.
    virtual bool keeps_digests() const { return true; }
};

// A source is let in by policy.json (policy.h), or that is the error.
// The place that a reference names. Transports store, tar and raw are not among these (images/ has them).
Result<std::unique_ptr<ImageSource>> open_source(const image::Reference& reference, const PlaceOptions& options);
Result<std::unique_ptr<ImageTarget>> open_target(const image::Reference& reference, const PlaceOptions& options);

}  // namespace croft::registry
