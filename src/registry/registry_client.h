// One repository of one registry, by distribution-spec 1.1: manifests, blobs, tags, referrers. It authorizes itself, tries
// again where that may help, and tells errors in the registry's own words.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "image/manifest.h"
#include "registry/authorize.h"
#include "registry/http.h"
#include "registry/place.h"

namespace croft::registry {

// Where a repository is to be reached (registries_conf.h makes it).
struct Endpoint {
    std::string host;        // "localhost:5000"
    std::string repository;  // "team/web"
    bool insecure = false;   // plain HTTP and unknown certificates will do
};

class RegistryClient {
  public:
    enum class Rights : unsigned char { pull, push, remove };
    static Result<std::shared_ptr<RegistryClient>> open(const Endpoint& endpoint, Rights rights, const PlaceOptions& options);

    // Whether the registry takes the options' login, or what it does not like.
    static Result<> check_login(const Endpoint& endpoint, const PlaceOptions& options);

    const Endpoint& endpoint() const { return endpoint_; }
    std::string name() const { return endpoint_.host + "/" + endpoint_.repository; }

    // `which` is a tag or a digest; bytes that are another digest's are an error.
    Result<ManifestBytes> manifest(const std::string& which);
    Result<> put_manifest(const ManifestBytes& manifest, const std::string& which);
    // Nothing when there is none.
    Result<std::optional<image::Digest>> find_manifest(const std::string& which);
    Result<> remove_manifest(const image::Digest& digest);

    Result<bool> has_blob(const image::Digest& digest);
    Result<std::unique_ptr<Source>> blob(const image::Descriptor& descriptor, uint64_t offset);
    // `from` is a repository of the same registry. False: the bytes have to be sent.
    Result<bool> mount_blob(const image::Descriptor& descriptor, const std::string& from);
    Result<> put_blob(const image::Descriptor& descriptor, const OpenBlob& open);

    // All tags, in the registry's order; `most` bounds what a registry may make of us.
    Result<std::vector<std::string>> tags();
    // What refers to a manifest; of registries without that interface by the fallback tag.
    Result<image::Index> referrers(const image::Digest& digest);

    // For who asks once: a request below /v2/NAME/, tried again as often as the options allow.
    Result<HttpAnswer> ask(HttpRequest request, const std::string& path, size_t limit);

  private:
    RegistryClient(Endpoint endpoint, Rights rights, const PlaceOptions& options, HttpOptions http);
    Result<> find_scheme();
    std::string url(const std::string& path) const;
    std::string scope() const;
    // Whether `url` is of this registry: nothing that authorizes is shown to others.
    bool is_ours(const std::string& url) const;
    Result<> authorize(HttpRequest& request, const std::vector<std::string>& scopes);
    // Whether an authorized request that was answered with 401 may be answered otherwise now.
    Result<bool> authorize_anew(const HttpRequest& request, const HttpAnswer& answer, const std::vector<std::string>& scopes);
    Result<HttpAnswer> once(HttpRequest& request, size_t limit, HttpFailure& failure, const std::string& more_scope);
    Result<std::unique_ptr<HttpStream>> open_stream(HttpRequest request, const std::string& path);
    // As wait_to_try_again().
    Result<bool> again(unsigned tried, const HttpAnswer* answer);

    Result<std::string> start_upload();
    Result<> send(const image::Descriptor& descriptor, const OpenBlob& open, std::string& location,
                  uint64_t& offset, bool& hopeful);
    Result<uint64_t> sent_so_far(std::string& location);
    Result<> add_referrer(image::Descriptor referrer, const image::Digest& subject);
    // For messages: "manifest HOST/NAME:TAG" or "…@DIGEST".
    std::string manifest_name(const std::string& which) const;

    Endpoint endpoint_;
    Rights rights_;
    PlaceOptions options_;
    HttpClient http_;
    Authorizer authorizer_;
    std::string base_;  // "https://host"
    std::mutex mutex_;
    std::map<image::Digest, std::string> uploads_;  // begun by a mount that did not happen
};

// Whether the same request may do better later.
bool may_pass(long status);
bool may_pass(HttpFailure failure);
// The registry's own words of an error answer, or what the status means.
Error answer_error(const HttpAnswer& answer, const std::string& what);
// Seconds or a date (RFC 9110, 10.2.3), in µs from now; nothing when there is none.
std::optional<uint64_t> retry_after(const std::string& header);

}  // namespace croft::registry
