#include "image/read.h"

#include "base/text.h"
#include "format/json_writer.h"

namespace croft::image {

namespace {
// A Digest cannot be empty, so a descriptor is put together when all of it has been read.
struct Parts {
    std::optional<Digest> digest;
    std::string media_type, artifact_type, data;
    uint64_t size = 0;
    Annotations annotations;
    std::vector<std::string> urls;
    std::optional<Platform> platform;
};

constexpr JsonRow<Platform> platform_rows[] = {
    {"os", json_text_row<&Platform::os>},
    {"architecture", json_text_row<&Platform::architecture>},
    {"variant", json_text_row<&Platform::variant>},
    {"os.version", json_text_row<&Platform::os_version>},
    {"os.features", json_texts_row<&Platform::os_features>},
};

constexpr JsonRow<Parts> descriptor_rows[] = {
    {"mediaType", json_text_row<&Parts::media_type>, Presence::required},
    {"digest",
     [](Json json, Parts& out, JsonNotes&) -> Result<> {
         out.digest = TRY(read_digest(json));
         return {};
     },
     Presence::required},
    {"size",
     [](Json json, Parts& out, JsonNotes&) -> Result<> {
         out.size = TRY(json_number(json, largest_blob));
         return {};
     },
     Presence::required},
    {"annotations", annotations_row<&Parts::annotations>},
    {"urls", json_texts_row<&Parts::urls>},
    {"platform",
     [](Json json, Parts& out, JsonNotes&) -> Result<> {
         out.platform = TRY(read_platform(json));
         return {};
     }},
    {"artifactType", json_text_row<&Parts::artifact_type>},
    {"data", json_text_row<&Parts::data>},
};
}  // namespace

Result<Annotations> read_annotations(Json json) {
    Annotations out;
    for (Json member : TRY(json_map(json))) out.emplace(member.key(), TRY(json_text(member)));
    if (out.size() > most_annotations) return json_error(json, cat("has more than ", most_annotations, " names"));
    return out;
}

Result<Platform> read_platform(Json json) {
    Platform out;
    JsonNotes notes{.unknown = JsonNotes::Unknown::warn};
    TRY(json_members(json, platform_rows, out, notes));
    return out;
}

Result<Digest> read_digest(Json json) {
    auto digest = Digest::parse(TRY(json_view(json)));
    if (!digest) return json_error(json, digest.error().text);
    return digest;
}

Result<Descriptor> read_descriptor(Json json) {
    Parts parts;
    JsonNotes notes{.unknown = JsonNotes::Unknown::warn};
    TRY(json_members(json, descriptor_rows, parts, notes));
    return Descriptor{.media_type = std::move(parts.media_type),
                      .digest = std::move(*parts.digest),
                      .size = parts.size,
                      .annotations = std::move(parts.annotations),
                      .urls = std::move(parts.urls),
                      .platform = std::move(parts.platform),
                      .artifact_type = std::move(parts.artifact_type),
                      .data = std::move(parts.data)};
}

Result<std::vector<Descriptor>> read_descriptors(Json json, size_t most) {
    std::vector<Descriptor> out;
    for (Json item : TRY(json_array(json))) {
        if (out.size() == most) return json_error(json, cat("has more than ", most, " items"));
        out.push_back(TRY(read_descriptor(item)));
    }
    return out;
}

void write_annotations(JsonWriter& json, const Annotations& annotations) {
    if (annotations.empty()) return;
    json.key("annotations").begin_object();
    for (const auto& [name, value] : annotations) json.member(name, value);
    json.end_object();
}

namespace {
void write_platform(JsonWriter& json, const Platform& platform) {
    json.key("platform").begin_object();
    json.member("architecture", platform.architecture).member("os", platform.os);
    if (!platform.os_version.empty()) json.member("os.version", platform.os_version);
    if (!platform.os_features.empty()) {
        json.key("os.features").begin_array();
        for (const std::string& feature : platform.os_features) json.value(feature);
        json.end_array();
    }
    if (!platform.variant.empty()) json.member("variant", platform.variant);
    json.end_object();
}
}  // namespace

void write_descriptor(JsonWriter& json, const Descriptor& descriptor) {
    json.begin_object().member("mediaType", descriptor.media_type).member("digest", descriptor.digest.text());
    json.member("size", descriptor.size);
    if (!descriptor.urls.empty()) {
        json.key("urls").begin_array();
        for (const std::string& url : descriptor.urls) json.value(url);
        json.end_array();
    }
    write_annotations(json, descriptor.annotations);
    if (!descriptor.data.empty()) json.member("data", descriptor.data);
    if (descriptor.platform) write_platform(json, *descriptor.platform);
    if (!descriptor.artifact_type.empty()) json.member("artifactType", descriptor.artifact_type);
    json.end_object();
}

}  // namespace croft::image
