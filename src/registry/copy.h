// Moves an image from any place to any other: blobs several at a time, then manifests, then the name. The bytes of
// manifests stay what they were, and with them all digests, unless another format is asked for.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "archive/compression.h"
#include "registry/place.h"

namespace croft::registry {

enum class Which : unsigned char { system, all, index_only };
// keep: whatever it is. Others write manifests anew, so their digests change.
enum class Format : unsigned char { keep, oci, docker };

// Hears how a copy goes on; called by several threads at once.
class CopyProgress {
  public:
    virtual ~CopyProgress() = default;
    // Once, before the first byte: what may have to be moved.
    virtual void begin(uint64_t bytes, size_t blobs) = 0;
    virtual void moved(uint64_t bytes) = 0;
    // `bytes` of it need not be moved: the target has them.
    virtual void spared(uint64_t bytes) = 0;
    virtual void blob_done() = 0;
};

// How layers are to be packed in the copy.
struct Repack {
    archive::Compression compression;
    int level = 0;         // 0: the usual one
    PlaceOptions options;  // where temporary files are put, and what ends the work
};

struct CopyOptions {
    Which which = Which::system;
    Format format = Format::keep;
    image::Platform platform = image::host_platform();
    std::optional<Repack> repack;  // nothing: as they are
    bool preserve_digests = false;
    unsigned parallel = 6;
    CopyProgress* progress = nullptr;
    bool (*interrupted)() = nullptr;
};

struct Copied {
    ManifestBytes top;
    uint64_t moved_bytes = 0, spared_bytes = 0;
};

Result<Copied> copy_image(ImageSource& from, ImageTarget& to, const CopyOptions& options);

}  // namespace croft::registry
