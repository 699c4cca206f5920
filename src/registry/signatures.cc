// Where signatures of an image are, and what they say (signatures.h).
#include "registry/signatures.h"

#include <fcntl.h>

#include <cerrno>

#include "base/fd.h"
#include "base/text.h"
#include "format/json_read.h"
#include "registry/base64.h"
#include "registry/blobs.h"
#include "registry/docker_place.h"
#include "registry/lookaside.h"

namespace croft::registry {

namespace {
using format::Json;
using image::Digest;

constexpr const char* signature_annotation = "dev.cosignproject.cosign/signature";
// In front of a sigstore signature in skopeo's directories.
constexpr std::string_view sigstore_magic("\0sigstore-json\n", 15);
constexpr size_t most_signatures = 128, largest_payload = 1 << 20;

Result<Json> member_of(Json object, const char* name) {
    auto member = json_member(TRY(json_object(object)), name);
    if (!member) return json_missing(object, name);
    return *member;
}

Result<Signature> made_of(std::string payload, std::string_view base64) {
    auto signature = from_base64(base64);
    if (!signature) return error(Errc::invalid, "a signature is not in base64");
    return Signature{std::move(payload), std::move(*signature)};
}

// {"mimeType": …, "payload": base64, "annotations": {…}}
Result<Signature> parse_sigstore_file(std::string_view text) {
    auto document = TRY(format::json_parse(text));
    Json payload = TRY(member_of(document.root(), "payload")), annotations = TRY(member_of(document.root(), "annotations"));
    Json signature = TRY(member_of(annotations, signature_annotation));
    auto bytes = from_base64(payload.text());
    if (!bytes) return error(Errc::invalid, "its payload is not in base64");
    return made_of(std::move(*bytes), signature.text());
}

// Files signature-1, signature-2, …, until one is missing.
Result<std::vector<std::string>> numbered_files(const std::string& directory) {
    std::vector<std::string> out;
    for (size_t number = 1; number <= most_signatures; ++number) {
        std::string path = cat(directory, "/signature-", number);
        auto text = read_file_at(AT_FDCWD, path.c_str(), largest_payload);
        if (!text && (text.error().err == ENOENT || text.error().err == ENOTDIR)) break;
        if (!text) return std::move(text).error().within(path);
        out.push_back(std::move(*text));
    }
    return out;
}

// Attached as cosign does: an image under the tag sha256-HEX.sig, whose layers are the payloads.
Result<std::vector<Signature>> attached(RegistryClient& client, const Digest& digest) {
    auto manifest = client.manifest(cat(digest.algorithm(), "-", digest.hex(), ".sig"));
    if (!manifest && manifest.error().code == Errc::not_found) return std::vector<Signature>();
    if (!manifest) return std::move(manifest).error();
    image::Document document = TRY(image::parse_manifest(manifest->bytes, manifest->media_type));
    std::vector<Signature> out;
    if (auto* image = std::get_if<image::Manifest>(&document))
        for (const image::Descriptor& layer : image->layers) {
            auto signature = layer.annotations.find(signature_annotation);
            if (signature == layer.annotations.end() || out.size() == most_signatures || layer.size > largest_payload) continue;
            std::unique_ptr<Source> source = TRY(client.blob(layer, 0));
            source = checked(std::move(source), layer);
            std::string payload;
            std::byte room[16384];
            while (size_t count = TRY(source->read(room))) payload.append(reinterpret_cast<const char*>(room), count);
            out.push_back(TRY(made_of(std::move(payload), signature->second)));
        }
    return out;
}

constexpr std::string_view file_scheme = "file://";

Result<std::vector<std::string>> from_lookaside(const std::string& base, const image::Reference& reference,
                                                const Digest& digest, const PlaceOptions& options) {
    std::string directory = cat(base, "/", reference.name, "@", digest.algorithm(), "=", digest.hex());
    if (directory.starts_with(file_scheme)) return numbered_files(directory.substr(file_scheme.size()));
    HttpClient http({.timeout = options.timeout, .interrupted = options.interrupted});
    std::vector<std::string> out;
    while (out.size() < most_signatures) {
        std::string url = cat(directory, "/signature-", out.size() + 1);
        HttpAnswer answer = TRY(http.request({.url = url}, largest_payload).within(cat("signatures at ", base)));
        if (answer.status == 404) break;
        if (answer.status != 200) return answer_error(answer, cat("signatures at ", base));
        out.push_back(std::move(answer.body));
    }
    return out;
}
}  // namespace

Result<Claim> parse_claim(std::string_view payload, bool sigstore) {
    auto read = [&]() -> Result<Claim> {
        auto document = TRY(format::json_parse(payload));
        Json critical = TRY(member_of(document.root(), "critical"));
        Json type = TRY(member_of(critical, "type")), image = TRY(member_of(critical, "image")),
             identity = TRY(member_of(critical, "identity"));
        std::string_view wanted = sigstore ? "cosign container image signature" : "atomic container signature";
        if (type.text() != wanted) return json_error(type, cat("is not ", quoted(wanted)));
        Json digest = TRY(member_of(image, "docker-manifest-digest")), name = TRY(member_of(identity, "docker-reference"));
        std::string_view text = TRY(json_view(digest));
        Digest parsed = TRY(Digest::parse(text));
        return Claim{std::move(parsed), TRY(json_text(name))};
    };
    return read().within("what was signed");
}

Result<std::vector<Signature>> sigstore_signatures(ImageSource& source, const Digest& digest) {
    if (auto* registry = dynamic_cast<RegistrySource*>(&source)) return attached(registry->client(), digest);
    std::vector<Signature> out;
    if (source.reference().transport != image::Transport::directory) return out;
    for (const std::string& text : TRY(numbered_files(source.reference().path)))
        if (text.starts_with(sigstore_magic))
            out.push_back(TRY(parse_sigstore_file(std::string_view(text).substr(sigstore_magic.size()))));
    return out;
}

Result<std::vector<Signature>> gpg_signatures(ImageSource& source, const Digest& digest, const PlaceOptions& options) {
    std::vector<std::string> files;
    std::string base;
    if (source.reference().transport == image::Transport::registry)
        base = TRY(lookaside_of(source.reference(), options));
    if (!base.empty())
        files = TRY(from_lookaside(base, source.reference(), digest, options));
    else if (source.reference().transport == image::Transport::directory)
        files = TRY(numbered_files(source.reference().path));
    std::vector<Signature> out;
    for (std::string& text : files)
        if (!text.starts_with('\0')) out.push_back({std::move(text), ""});
    return out;
}

}  // namespace croft::registry
