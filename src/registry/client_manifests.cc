// Manifests to a registry, and what refers to them (registry_client.h).
#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "image/media_types.h"
#include "registry/blobs.h"
#include "registry/registry_client.h"

namespace croft::registry {

namespace {
using image::Descriptor;
using image::Digest;

constexpr size_t largest_answer = 256 << 10;

// Distribution-spec, "Referrers Tag Schema".
std::string fallback_tag(const Digest& digest) {
    return cat(digest.algorithm(), "-", digest.hex().substr(0, 64));
}

// How a manifest stands in the list of what refers to another one.
Descriptor as_referrer(const ManifestBytes& manifest, const image::Document& document) {
    Descriptor out{.media_type = manifest.media_type, .digest = manifest.digest, .size = manifest.bytes.size()};
    if (auto* one = std::get_if<image::Manifest>(&document)) {
        out.artifact_type = one->artifact_type.empty() ? one->config.media_type : one->artifact_type;
        out.annotations = one->annotations;
    } else {
        out.artifact_type = std::get<image::Index>(document).artifact_type;
        out.annotations = std::get<image::Index>(document).annotations;
    }
    return out;
}

std::optional<Descriptor> subject_of(const image::Document& document) {
    return std::visit([](const auto& one) { return one.subject; }, document);
}
}  // namespace

Result<> RegistryClient::put_manifest(const ManifestBytes& manifest, const std::string& which) {
    std::string what = manifest_name(which);
    image::Document document = TRY(image::parse_manifest(manifest.bytes, manifest.media_type).within(what));
    HttpRequest request{.method = "PUT", .headers = {cat("Content-Type: ", manifest.media_type)}, .body = manifest.bytes};
    auto answer = ask(std::move(request), cat("manifests/", which), largest_answer);
    if (!answer) return std::move(answer).error().within(what);
    if (answer->status != 201 && answer->status != 200 && answer->status != 202) return answer_error(*answer, what);
    auto told = Digest::parse(answer->header("docker-content-digest"));
    if (told && *told != manifest.digest)
        return error(Errc::failed, cat(what, ": the registry has made another manifest of it (", told->text(),
                                       " of ", manifest.digest.text(), ")"));
    auto subject = subject_of(document);
    // A registry that knows referrers says so; of others the list is ours to keep.
    if (!subject || !answer->header("oci-subject").empty()) return {};
    return add_referrer(as_referrer(manifest, document), subject->digest);
}

Result<image::Index> RegistryClient::referrers(const Digest& digest) {
    std::string what = cat("what refers to ", name(), "@", digest.text());
    auto answer = ask({.headers = {cat("Accept: ", image::oci_index)}}, cat("referrers/", digest.text()),
                      image::largest_manifest);
    if (!answer) return std::move(answer).error().within(what);
    std::string body;
    if (answer->status == 200 && answer->header("content-type").starts_with(image::oci_index)) {
        body = std::move(answer->body);
    } else if (answer->status == 404 || answer->status == 405 || answer->status == 400 || answer->status == 200) {
        auto fallback = manifest(fallback_tag(digest));
        if (!fallback && fallback.error().code == Errc::not_found)
            return image::Index{.media_type = std::string(image::oci_index)};
        if (!fallback) return std::move(fallback).error();
        body = std::move(fallback->bytes);
    } else {
        return answer_error(*answer, what);
    }
    image::Document document = TRY(image::parse_manifest(body).within(what));
    auto* index = std::get_if<image::Index>(&document);
    if (!index) return error(Errc::invalid, cat(what, ": the list is no index"));
    return std::move(*index);
}

Result<> RegistryClient::add_referrer(Descriptor referrer, const Digest& subject) {
    image::Index index = TRY(referrers(subject));
    if (std::ranges::find(index.manifests, referrer.digest, &Descriptor::digest) != index.manifests.end()) return {};
    index.manifests.push_back(std::move(referrer));
    index.media_type = image::oci_index;
    std::string bytes = image::index_json(index);
    Digest digest = digest_of(bytes);
    return put_manifest({std::move(bytes), index.media_type, std::move(digest)}, fallback_tag(subject));
}

}  // namespace croft::registry
