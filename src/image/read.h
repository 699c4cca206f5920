// What manifests, indexes and configurations have in common in their JSON. Only this folder's files include it.
#pragma once

#include "format/json_read.h"
#include "format/json_writer.h"
#include "image/manifest.h"

namespace croft::image {

using namespace format;

// At most this many names of annotations or labels: a bound of ours.
inline constexpr size_t most_annotations = 4096;

Result<Annotations> read_annotations(Json json);
Result<Platform> read_platform(Json json);
Result<Digest> read_digest(Json json);
Result<Descriptor> read_descriptor(Json json);
Result<std::vector<Descriptor>> read_descriptors(Json json, size_t most);

// A row for a member that is annotations or labels.
template <auto Member>
Result<> annotations_row(Json json, JsonOwner<Member>& out, JsonNotes&) {
    out.*Member = TRY(read_annotations(json));
    return {};
}

void write_descriptor(JsonWriter& json, const Descriptor& descriptor);
// "annotations" and its object; nothing when there are none.
void write_annotations(JsonWriter& json, const Annotations& annotations);

}  // namespace croft::image
