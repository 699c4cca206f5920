// From a reference to its place (place.h).
#include "base/text.h"
#include "registry/docker_place.h"
#include "registry/layout.h"
#include "registry/policy.h"

namespace croft::registry {

namespace {
using image::Transport;

Error not_here(const image::Reference& reference) {
    if (reference.transport == Transport::store)
        return error(Errc::unsupported, cat(quoted(reference.text()), " is a name in the store"));
    return error(Errc::unsupported,
                 cat(quoted(reference.text()),
                     " is a tree or a disk, and no image with layers; `croft image import` makes one of it"));
}
}  // namespace

namespace {
Result<std::unique_ptr<ImageSource>> open_unchecked(const image::Reference& reference, const PlaceOptions& options) {
    switch (reference.transport) {
        case Transport::registry:
            return std::unique_ptr<ImageSource>(TRY(open_registry(reference, options)));
        case Transport::oci:
            return open_layout(reference, TRY(open_directory(reference.path)));
        case Transport::oci_archive:
            return open_layout(reference, TRY(open_tar(reference.path, options)));
        case Transport::docker_archive:
            return open_docker_archive(reference, TRY(open_tar(reference.path, options)));
        case Transport::directory:
            return open_dir(reference, TRY(open_directory(reference.path)));
        default:
            return not_here(reference);
    }
}

}  // namespace

Result<std::unique_ptr<ImageSource>> open_source(const image::Reference& reference, const PlaceOptions& options) {
    std::unique_ptr<ImageSource> source = TRY(open_unchecked(reference, options));
    TRY(check_policy(*source, options));
    return source;
}

Result<std::unique_ptr<ImageTarget>> open_target(const image::Reference& reference, const PlaceOptions& options) {
    switch (reference.transport) {
        case Transport::registry:
            return make_registry(reference, options);
        case Transport::oci:
            return make_layout(reference);
        case Transport::oci_archive:
            return make_oci_archive(reference);
        case Transport::docker_archive:
            return make_docker_archive(reference, options);
        case Transport::directory:
            return make_dir(reference);
        default:
            return not_here(reference);
    }
}

}  // namespace croft::registry
