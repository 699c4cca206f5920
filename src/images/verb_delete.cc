// image delete: takes an image out of a registry.
#include "base/log.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "images/functions.h"
#include "images/places.h"
#include "registry/docker_place.h"

namespace croft::images {

namespace {
Result<> remove(const image::Reference& reference, const registry::PlaceOptions& options) {
    auto client = TRY(registry::open_repository(reference, registry::RegistryClient::Rights::remove, options));
    auto digest = reference.digest;
    if (!digest) digest = TRY(client->find_manifest(registry::wanted(reference)));
    if (!digest) return error(Errc::not_found, cat("there is no ", quoted(reference.text()), " in the registry"));
    return client->remove_manifest(*digest);
}
}  // namespace

Result<int> verb_delete(const cli::Verb& verb, std::span<char* const> arguments) {
    cli::Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    image::Reference reference = TRY(image::parse_reference(args.operands[0]));
    if (reference.transport != image::Transport::registry)
        return error(
            Errc::usage,
            cat(verb.name, ": ", quoted(args.operands[0]),
                " is in no registry (docker://HOST/NAME:TAG); `croft image rm` removes from the store"));
    if (reference.tag.empty() && !reference.digest)
        return error(Errc::usage, cat(verb.name, ": say which image of ", quoted(reference.name),
                                      ": docker://HOST/NAME:TAG or docker://HOST/NAME@DIGEST"));
    registry::PlaceOptions options = TRY(place_options(args, Side::only));
    cli::Interrupt interrupt;
    Result<> removed = remove(reference, options);
    if (int signal = cli::Interrupt::signal(); signal && !removed) cli::die_of(signal);
    TRY(std::move(removed));
    if (!args.has("--quiet")) info(cat(args.operands[0], " is deleted, with all tags of the same image"));
    return 0;
}

}  // namespace croft::images
