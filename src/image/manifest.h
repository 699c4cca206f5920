// Manifests and indexes of images, as values: read from the bytes that a registry or a layout has, written anew only where
// a manifest is made or changed. Image-spec 1.1 (manifest.md, image-index.md, descriptor.md), Docker's schema 2 and its
// manifest lists.
//
// A manifest is what its bytes say, and its digest is theirs: what is copied is the bytes, never what write() makes of the
// value. Reading is strict: sizes and counts have limits, what is missing or of a wrong type is an error that says where.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "image/digest.h"
#include "image/platform.h"

namespace croft::image {

// Distribution-spec lets a registry refuse more ("Pushing Manifests"); all clients stop here.
inline constexpr size_t largest_manifest = 4 << 20;
// Bounds of ours: more than any image has, and a reader's memory and time stay small.
inline constexpr size_t most_layers = 1024, most_manifests = 4096;
inline constexpr uint64_t largest_blob = uint64_t(1) << 44;
inline constexpr size_t largest_config = 16 << 20;
// An index in an index in an index …: what stands deeper is refused, so a cycle ends too.
inline constexpr unsigned deepest_index = 4;

using Annotations = std::map<std::string, std::string>;

struct Descriptor {
    std::string media_type;
    Digest digest;
    uint64_t size = 0;  // bytes
    Annotations annotations;
    std::vector<std::string> urls;
    std::optional<Platform> platform;
    std::string artifact_type;
    std::string data;  // the blob itself in base64, or ""

    bool operator==(const Descriptor&) const = default;
};

struct Manifest {
    std::string media_type;
    Descriptor config;
    std::vector<Descriptor> layers;
    std::optional<Descriptor> subject;
    std::string artifact_type;
    Annotations annotations;
};

struct Index {
    std::string media_type;
    std::vector<Descriptor> manifests;
    std::optional<Descriptor> subject;
    std::string artifact_type;
    Annotations annotations;
};

using Document = std::variant<Manifest, Index>;

// `media_type` is what was said of the bytes (by a Content-Type or a descriptor), or "". What the bytes themselves say
// must agree with it: else one document could be two things. Schema 1 and what is no manifest at all are refused by name.
Result<Document> parse_manifest(std::string_view bytes, std::string_view media_type = "");
// Which media type the bytes have, without a full reading: their "mediaType", or what their members show.
Result<std::string> detect_media_type(std::string_view bytes);

// As image-spec lays it out, without blanks.
std::string manifest_json(const Manifest& manifest);
std::string index_json(const Index& index);

// The manifest of an index that serves `wanted` best; the error lists what there is.
Result<Descriptor> choose(const Index& index, const Platform& wanted);

}  // namespace croft::image
