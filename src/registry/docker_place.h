// docker://: a repository of a registry as a source and as a target.
#pragma once

#include "registry/place.h"
#include "registry/registry_client.h"

namespace croft::registry {

class RegistrySource : public ImageSource {
  public:
    // `reference` has a host, whatever place `client` asks in its stead.
    RegistrySource(image::Reference reference, std::shared_ptr<RegistryClient> client)
        : reference_(std::move(reference)), client_(std::move(client)) {}
    const image::Reference& reference() const override { return reference_; }
    Result<ManifestBytes> manifest(const std::optional<image::Digest>& digest) override;
    Result<std::unique_ptr<Source>> blob(const image::Descriptor& descriptor, uint64_t offset) override {
        return client_->blob(descriptor, offset);
    }
    std::vector<std::string> names() const override;
    RegistryClient& client() const { return *client_; }

  private:
    image::Reference reference_;
    std::shared_ptr<RegistryClient> client_;
    std::mutex mutex_;
    std::optional<ManifestBytes> top_;  // what a tag meant first; it may move during a copy
};

// Tries the candidates in their order; of several the errors are told together.
Result<std::unique_ptr<RegistrySource>> open_registry(const image::Reference& reference, const PlaceOptions& options);
Result<std::unique_ptr<ImageTarget>> make_registry(const image::Reference& reference, const PlaceOptions& options);
// For who wants a repository and no image of it: tags, delete.
Result<std::shared_ptr<RegistryClient>> open_repository(const image::Reference& reference,
                                                        RegistryClient::Rights rights,
                                                        const PlaceOptions& options);
// "TAG", "DIGEST" or "latest".
std::string wanted(const image::Reference& reference);

}  // namespace croft::registry
