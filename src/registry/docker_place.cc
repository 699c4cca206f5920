#include "registry/docker_place.h"

#include "base/log.h"
#include "base/text.h"
#include "registry/registries_conf.h"

namespace croft::registry {

namespace {
using image::Descriptor;
using image::Reference;

class RegistryTarget : public ImageTarget {
  public:
    RegistryTarget(Reference reference, std::shared_ptr<RegistryClient> client)
        : reference_(std::move(reference)), client_(std::move(client)) {}

    const Reference& reference() const override { return reference_; }
    Result<bool> has_blob(const Descriptor& descriptor) override { return client_->has_blob(descriptor.digest); }

    Result<bool> try_mount(const Descriptor& descriptor, const ImageSource& from) override {
        auto* registry = dynamic_cast<const RegistrySource*>(&from);
        if (!registry) return false;
        const Endpoint& there = registry->client().endpoint();
        bool neighbour = there.host == client_->endpoint().host && there.repository != client_->endpoint().repository;
        return neighbour ? client_->mount_blob(descriptor, there.repository) : Result<bool>(false);
    }

    Result<> put_blob(const Descriptor& descriptor, const OpenBlob& open) override { return client_->put_blob(descriptor, open); }

    Result<> put_manifest(const ManifestBytes& manifest, Role role) override {
        if (role == Role::child) return client_->put_manifest(manifest, manifest.digest.text());
        if (reference_.digest && *reference_.digest != manifest.digest)
            return error(Errc::invalid,
                         cat(quoted(reference_.text()), ": the image that is copied has the digest ",
                             manifest.digest.text()));
        top_ = manifest;
        return {};
    }

    Result<> commit(const std::vector<std::string>&) override {
        if (!top_) return error(Errc::invalid, "there is no manifest to name");
        return client_->put_manifest(
            *top_, reference_.digest && reference_.tag.empty() ? top_->digest.text() : wanted(reference_));
    }

  private:
    Reference reference_;
    std::shared_ptr<RegistryClient> client_;
    std::optional<ManifestBytes> top_;
};

Result<std::unique_ptr<RegistrySource>> open_candidate(const Candidate& candidate, const PlaceOptions& options) {
    auto client = TRY(RegistryClient::open(candidate.endpoint, RegistryClient::Rights::pull, options));
    auto source = std::make_unique<RegistrySource>(candidate.reference, std::move(client));
    // Only now it is known that it has the image, and a mirror that has not is passed over.
    TRY(source->manifest({}));
    return source;
}
}  // namespace

std::string wanted(const Reference& reference) {
    return reference.digest ? reference.digest->text() : reference.tag.empty() ? "latest" : reference.tag;
}

Result<ManifestBytes> RegistrySource::manifest(const std::optional<image::Digest>& digest) {
    std::lock_guard lock(mutex_);
    if (!top_) top_ = TRY(client_->manifest(wanted(reference_)));
    if (!digest || *digest == top_->digest) return *top_;
    return client_->manifest(digest->text());
}

// As `docker save` would have it; only with a tag, or an image that was asked for by digest would get "latest".
std::vector<std::string> RegistrySource::names() const {
    if (reference_.digest && reference_.tag.empty()) return {};
    return {cat(reference_.host, "/", reference_.name, ":", reference_.tag.empty() ? "latest" : reference_.tag)};
}

Result<std::unique_ptr<RegistrySource>> open_registry(const Reference& reference, const PlaceOptions& options) {
    RegistriesConf conf = TRY(load_registries_conf(options));
    std::vector<Candidate> all = TRY(candidates(reference, conf, options));
    std::string errors;
    for (size_t i = 0; i < all.size(); ++i) {
        auto source = open_candidate(all[i], options);
        if (source) return source;
        bool last = i + 1 == all.size(), interrupted = options.interrupted && options.interrupted();
        if (!last && !interrupted) {
            log(all[i].mirror ? LogLevel::warning : LogLevel::debug, cat(source.error().text, "; trying the next place"));
            errors += cat(source.error().text, "; ");
            continue;
        }
        Error out = std::move(source).error();
        out.text = cat(errors, out.text);
        return out;
    }
    return error(Errc::not_found, cat("there is no place to look for ", quoted(reference.text())));
}

Result<std::shared_ptr<RegistryClient>> open_repository(const Reference& reference,
                                                        RegistryClient::Rights rights,
                                                        const PlaceOptions& options) {
    RegistriesConf conf = TRY(load_registries_conf(options));
    Endpoint endpoint = TRY(target_endpoint(reference, conf, options));
    return RegistryClient::open(endpoint, rights, options);
}

Result<std::unique_ptr<ImageTarget>> make_registry(const Reference& reference, const PlaceOptions& options) {
    auto client = TRY(open_repository(reference, RegistryClient::Rights::push, options));
    return std::make_unique<RegistryTarget>(reference, std::move(client));
}

}  // namespace croft::registry
