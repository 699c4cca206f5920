#include "image/manifest.h"

#include <algorithm>

#include "base/text.h"
#include "format/json_writer.h"
#include "image/media_types.h"
#include "image/read.h"

namespace croft::image {

namespace {
// Of a manifest and of an index, as they stand in one document; which it is shows afterwards.
struct Parts {
    std::string media_type, artifact_type;
    std::optional<Descriptor> config, subject;
    std::optional<std::vector<Descriptor>> layers, manifests;
    Annotations annotations;
    bool schema_1 = false;
};

Result<> refuse_schema_1(Json, Parts& out, JsonNotes&) {
    out.schema_1 = true;
    return {};
}

template <auto Member>
Result<> descriptor_row(Json json, Parts& out, JsonNotes&) {
    out.*Member = TRY(read_descriptor(json));
    return {};
}

constexpr JsonRow<Parts> rows[] = {
    {"schemaVersion",
     [](Json json, Parts& out, JsonNotes&) -> Result<> {
         uint64_t version = TRY(json_number(json, 1000));
         out.schema_1 = out.schema_1 || version == 1;
         if (version > 2) return json_error(json, "is a version that is not known; 2 is");
         return {};
     },
     Presence::required},
    {"mediaType", json_text_row<&Parts::media_type>},
    {"artifactType", json_text_row<&Parts::artifact_type>},
    {"config", descriptor_row<&Parts::config>},
    {"subject", descriptor_row<&Parts::subject>},
    {"layers",
     [](Json json, Parts& out, JsonNotes&) -> Result<> {
         out.layers = TRY(read_descriptors(json, most_layers));
         return {};
     }},
    {"manifests",
     [](Json json, Parts& out, JsonNotes&) -> Result<> {
         out.manifests = TRY(read_descriptors(json, most_manifests));
         return {};
     }},
    {"annotations", annotations_row<&Parts::annotations>},
    {"fsLayers", refuse_schema_1},
    {"signatures", refuse_schema_1},
};

// One that says nothing about itself is OCI's, unless its config is Docker's: then it is what Docker would call it.
std::string_view shown_type(const Parts& parts) {
    if (parts.manifests) return oci_index;
    return parts.config && parts.config->media_type == docker_config ? docker_manifest : oci_manifest;
}

Error wrong_media_type(std::string_view text) {
    return error(Errc::unsupported, cat(quoted(text.substr(0, 200)), " is not the media type of an image's manifest or index"));
}

Result<Document> document_of(Parts parts) {
    bool index = index_family(parts.media_type) != Family::none;
    if (!index && manifest_family(parts.media_type) == Family::none) return wrong_media_type(parts.media_type);
    // A document that is both could be read as either.
    if (index ? parts.layers || parts.config || !parts.manifests : !parts.layers || !parts.config || parts.manifests)
        return error(Errc::invalid, index ? "an index has \"manifests\", and neither \"layers\" nor \"config\""
                                          : "a manifest has \"config\" and \"layers\", and no \"manifests\"");
    if (index)
        return Index{std::move(parts.media_type), std::move(*parts.manifests), std::move(parts.subject),
                     std::move(parts.artifact_type), std::move(parts.annotations)};
    return Manifest{std::move(parts.media_type), std::move(*parts.config),         std::move(*parts.layers),
                    std::move(parts.subject),    std::move(parts.artifact_type), std::move(parts.annotations)};
}

Result<Parts> read_parts(std::string_view bytes, std::string_view media_type) {
    if (bytes.size() > largest_manifest) return error(Errc::invalid, cat("it has more than ", human_size(largest_manifest)));
    JsonDocument document = TRY(json_parse(bytes));
    Parts parts;
    JsonNotes notes{.unknown = JsonNotes::Unknown::warn};
    TRY(json_members(document.root(), rows, parts, notes));
    if (parts.schema_1)
        return error(Errc::unsupported,
                     "it is of Docker's schema 1, which registries have given up; push the image again with a newer tool");
    bool known = index_family(media_type) != Family::none || manifest_family(media_type) != Family::none;
    if (!parts.media_type.empty() && known && parts.media_type != media_type)
        return error(Errc::invalid, cat("it says that it is ", quoted(parts.media_type),
                                        ", but was given as ", quoted(media_type)));
    if (parts.media_type.empty()) parts.media_type = known ? media_type : shown_type(parts);
    return parts;
}

void write_end(JsonWriter& json, const std::optional<Descriptor>& subject, const Annotations& annotations) {
    if (subject) {
        json.key("subject");
        write_descriptor(json, *subject);
    }
    write_annotations(json, annotations);
    json.end_object();
}

void write_list(JsonWriter& json, std::string_view key, const std::vector<Descriptor>& list) {
    json.key(key).begin_array();
    for (const Descriptor& one : list) write_descriptor(json, one);
    json.end_array();
}
}  // namespace

Result<Document> parse_manifest(std::string_view bytes, std::string_view media_type) {
    auto parts = read_parts(bytes, media_type);
    if (!parts) return std::move(parts).error().within("the manifest");
    return document_of(std::move(*parts)).within("the manifest");
}

Result<std::string> detect_media_type(std::string_view bytes) {
    auto parts = read_parts(bytes, "");
    if (!parts) return std::move(parts).error().within("the manifest");
    return std::move(parts->media_type);
}

std::string manifest_json(const Manifest& manifest) {
    JsonWriter json(JsonStyle::compact);
    json.begin_object().member("schemaVersion", 2).member("mediaType", manifest.media_type);
    if (!manifest.artifact_type.empty()) json.member("artifactType", manifest.artifact_type);
    json.key("config");
    write_descriptor(json, manifest.config);
    write_list(json, "layers", manifest.layers);
    write_end(json, manifest.subject, manifest.annotations);
    return json.take();
}

std::string index_json(const Index& index) {
    JsonWriter json(JsonStyle::compact);
    json.begin_object().member("schemaVersion", 2).member("mediaType", index.media_type);
    if (!index.artifact_type.empty()) json.member("artifactType", index.artifact_type);
    write_list(json, "manifests", index.manifests);
    write_end(json, index.subject, index.annotations);
    return json.take();
}

Result<Descriptor> choose(const Index& index, const Platform& wanted) {
    const Descriptor* best = nullptr;
    unsigned best_fitness = 0;
    std::string offered;
    for (const Descriptor& one : index.manifests) {
        bool image = manifest_family(one.media_type) != Family::none || index_family(one.media_type) != Family::none;
        if (!image) continue;
        unsigned now = one.platform ? fitness(wanted, *one.platform) : 0;
        if (now > best_fitness) best = &one, best_fitness = now;
        if (one.platform && offered.size() < 200)
            offered += cat(offered.empty() ? "" : ", ", quoted(one.platform->text().substr(0, 100)));
    }
    // One image without a platform is for whoever asks.
    if (!best && index.manifests.size() == 1 && !index.manifests[0].platform) best = &index.manifests[0];
    if (best) return *best;
    return error(Errc::not_found, cat("there is no image for ", wanted.text(), " in the index",
                                      offered.empty() ? "" : cat("; there is ", offered)));
}

}  // namespace croft::image
