#include "registry/registry_client.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "format/json_read.h"
#include "image/media_types.h"
#include "registry/blobs.h"
#include "registry/certificates.h"
#include "registry/resumed_stream.h"
#include "registry/url.h"

namespace croft::registry {

namespace {
using image::Digest;

constexpr size_t largest_error = 256 << 10, largest_tags = 8 << 20, most_tags = 1'000'000, most_pages = 10'000;

std::string accept_header() {
    return cat("Accept: ", image::oci_index, ", ", image::oci_manifest, ", ", image::docker_list, ", ", image::docker_manifest);
}

// "</v2/x/tags/list?n=2&last=b>; rel=\"next\"" (RFC 8288): the address, or "".
std::string next_page(const HttpAnswer& answer) {
    std::string link = answer.header("link");
    size_t end = link.find('>');
    if (!link.starts_with('<') || end == link.npos || link.find("next", end) == link.npos) return "";
    return resolved_url(answer.url, std::string_view(link).substr(1, end - 1));
}

bool is_authorization(const std::string& header) {
    return header.starts_with("Authorization:");
}

Result<std::vector<std::string>> read_tags(std::string_view body) {
    auto document = TRY(format::json_parse(body));
    auto tags = json_member(TRY(json_object(document.root())), "tags");
    return tags ? json_texts(*tags) : std::vector<std::string>();
}
}  // namespace

RegistryClient::RegistryClient(Endpoint endpoint, Rights rights, const PlaceOptions& options, HttpOptions http)
    : endpoint_(std::move(endpoint)), rights_(rights), options_(options), http_(std::move(http)),
      authorizer_(name(), options_, http_, endpoint_.insecure), base_(cat("https://", endpoint_.host)) {}

Result<std::shared_ptr<RegistryClient>> RegistryClient::open(const Endpoint& endpoint, Rights rights,
                                                             const PlaceOptions& options) {
    HttpOptions http{.tls = TRY(find_certificates(endpoint.host, options)),
                     .timeout = options.timeout,
                     .interrupted = options.interrupted};
    http.tls.verify = !endpoint.insecure;
    std::shared_ptr<RegistryClient> out(new RegistryClient(endpoint, rights, options, std::move(http)));
    TRY(out->find_scheme().within(cat("registry ", quoted(endpoint.host))));
    return out;
}

// One question tells whether there is a registry, how it is spoken to and what it wants to see.
Result<> RegistryClient::find_scheme() {
    for (unsigned tried = 0;; ++tried) {
        HttpFailure failure = HttpFailure::none;
        auto answer = http_.request({.url = cat(base_, "/v2/")}, largest_error, &failure);
        bool plain =
            endpoint_.insecure && base_.starts_with("https:") &&
            (failure == HttpFailure::tls || failure == HttpFailure::refused || failure == HttpFailure::cut);
        if (!answer && plain) {
            base_ = cat("http://", endpoint_.host);
            --tried;
            continue;
        }
        if (answer && answer->status == 401) TRY(authorizer_.learn(*answer, {scope()}, ""));
        if (answer && !may_pass(answer->status)) return {};
        if (!answer && failure == HttpFailure::tls)
            return std::move(answer).error().within(
                cat("no safe connection (--tls-verify=no takes plain HTTP and any certificate; certificates "
                    "of authorities belong into certs.d/",
                    endpoint_.host, ")"));
        if (!answer && failure == HttpFailure::other) return std::move(answer).error();
        if (TRY(again(tried, answer ? &*answer : nullptr))) continue;
        return answer ? answer_error(*answer, "it") : std::move(answer).error();
    }
}

Result<> RegistryClient::check_login(const Endpoint& endpoint, const PlaceOptions& options) {
    auto client = TRY(open(endpoint, Rights::pull, options));
    HttpRequest request{.url = cat(client->base_, "/v2/")};
    auto answer = client->ask(request, "", largest_error);
    if (!answer) return std::move(answer).error();
    return answer->status == 200 ? Result<>() : answer_error(*answer, "the login");
}

std::string RegistryClient::url(const std::string& path) const {
    return cat(base_, "/v2/", endpoint_.repository, "/", path);
}

std::string RegistryClient::scope() const {
    const char* rights = rights_ == Rights::pull ? "pull" : rights_ == Rights::push ? "pull,push" : "delete,pull";
    return cat("repository:", endpoint_.repository, ":", rights);
}

Result<bool> RegistryClient::again(unsigned tried, const HttpAnswer* answer) {
    return wait_to_try_again(options_, tried, answer);
}

bool RegistryClient::is_ours(const std::string& url) const {
    return url_origin(url) == url_origin(base_);
}

Result<> RegistryClient::authorize(HttpRequest& request, const std::vector<std::string>& scopes) {
    std::erase_if(request.headers, is_authorization);
    if (!is_ours(request.url)) return {};
    std::string line = TRY(authorizer_.header(scopes));
    if (!line.empty()) request.headers.push_back(std::move(line));
    return {};
}

Result<bool> RegistryClient::authorize_anew(const HttpRequest& request, const HttpAnswer& answer,
                                            const std::vector<std::string>& scopes) {
    if (answer.status != 401 || !is_ours(request.url)) return false;
    auto sent = std::ranges::find_if(request.headers, is_authorization);
    return authorizer_.learn(answer, scopes, sent == request.headers.end() ? "" : *sent);
}

// With what authorizes; once more when the registry wants to see something else.
Result<HttpAnswer> RegistryClient::once(HttpRequest& request, size_t limit, HttpFailure& failure, const std::string& more_scope) {
    std::vector<std::string> scopes{scope()};
    if (!more_scope.empty()) scopes.push_back(more_scope);
    for (bool first = true;; first = false) {
        TRY(authorize(request, scopes));
        auto answer = http_.request(request, limit, &failure);
        if (!answer || !first || request.upload || !TRY(authorize_anew(request, *answer, scopes))) return answer;
    }
}

Result<HttpAnswer> RegistryClient::ask(HttpRequest request, const std::string& path, size_t limit) {
    if (request.url.empty()) request.url = url(path);
    for (unsigned tried = 0;; ++tried) {
        HttpFailure failure = HttpFailure::none;
        HttpRequest copy = request;
        auto answer = once(copy, limit, failure, "");
        if (answer ? !may_pass(answer->status) : !may_pass(failure)) return answer;
        if (!TRY(again(tried, answer ? &*answer : nullptr))) return answer;
    }
}

Result<std::unique_ptr<HttpStream>> RegistryClient::open_stream(HttpRequest request, const std::string& path) {
    request.url = url(path);
    for (bool first = true;; first = false) {
        TRY(authorize(request, {scope()}));
        std::unique_ptr<HttpStream> stream = TRY(http_.open(request));
        if (!first || !TRY(authorize_anew(request, stream->head(), {scope()}))) return stream;
    }
}

std::string RegistryClient::manifest_name(const std::string& which) const {
    return cat("manifest ", name(), which.find(':') == which.npos ? ":" : "@", which);
}

Result<ManifestBytes> RegistryClient::manifest(const std::string& which) {
    std::string what = manifest_name(which);
    auto answer = ask({.headers = {accept_header()}}, cat("manifests/", which), image::largest_manifest);
    if (!answer) return std::move(answer).error().within(what);
    if (answer->status != 200) return answer_error(*answer, what);
    std::string media_type = answer->header("content-type");
    media_type = trim(media_type.substr(0, media_type.find(';')));
    if (media_type == "text/html")
        return error(Errc::invalid, cat(what, ": the answer is a page for people (HTML); is ",
                                        quoted(endpoint_.host), " a registry?"));
    std::string told = which.find(':') != which.npos ? which : answer->header("docker-content-digest");
    auto digest = Digest::parse(told);
    Digest own = digest ? digest_of(answer->body, *digest) : digest_of(answer->body);
    if (digest && own != *digest)
        return error(Errc::invalid, cat(what, ": its bytes have the digest ", own.text(), ", not ",
                                        digest->text(), "; they were damaged or exchanged"));
    bool known = image::manifest_family(media_type) != image::Family::none ||
                 image::index_family(media_type) != image::Family::none;
    if (!known) media_type = TRY(image::detect_media_type(answer->body).within(what));
    return ManifestBytes{std::move(answer->body), std::move(media_type), std::move(own)};
}

Result<std::optional<Digest>> RegistryClient::find_manifest(const std::string& which) {
    std::string what = manifest_name(which);
    auto answer = ask({.method = "HEAD", .headers = {accept_header()}}, cat("manifests/", which), largest_error);
    if (!answer) return std::move(answer).error().within(what);
    if (answer->status == 404) return std::optional<Digest>();
    if (answer->status != 200) return answer_error(*answer, what);
    if (auto digest = Digest::parse(answer->header("docker-content-digest"))) return std::optional(*digest);
    return std::optional(TRY(manifest(which)).digest);
}

Result<> RegistryClient::remove_manifest(const Digest& digest) {
    std::string what = cat("deleting ", name(), "@", digest.text());
    auto answer = ask({.method = "DELETE"}, cat("manifests/", digest.text()), largest_error);
    if (!answer) return std::move(answer).error().within(what);
    if (answer->status == 405 || answer->status == 400)
        return error(Errc::unsupported, cat(what,
                                            ": the registry does not let anybody delete (of Debian's "
                                            "docker-registry: storage.delete.enabled)"));
    return answer->status == 202 || answer->status == 200 || answer->status == 204 ? Result<>() : answer_error(*answer, what);
}

Result<std::vector<std::string>> RegistryClient::tags() {
    std::string what = cat("the tags of ", name());
    std::vector<std::string> out;
    HttpRequest request{.url = url("tags/list?n=1000")};
    for (size_t page = 0; !request.url.empty(); ++page) {
        auto answer = ask(request, "", largest_tags);
        if (!answer) return std::move(answer).error().within(what);
        if (answer->status != 200) return answer_error(*answer, what);
        std::vector<std::string> more = TRY(read_tags(answer->body).within(what));
        out.insert(out.end(), more.begin(), more.end());
        std::string next = next_page(*answer);
        // What authorizes goes to this registry alone, and a page that is its own next one would have no end.
        if (out.size() > most_tags || page > most_pages || next == request.url || (!next.empty() && !is_ours(next)))
            return error(Errc::invalid, cat(what, ": the registry's list has no end, or goes on at another host"));
        request.url = next;
    }
    return out;
}

}  // namespace croft::registry
