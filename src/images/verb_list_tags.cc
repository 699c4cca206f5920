// image list-tags: the names that a repository has.
#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "format/json_writer.h"
#include "images/functions.h"
#include "images/places.h"
#include "registry/docker_place.h"

namespace croft::images {

Result<int> verb_list_tags(const cli::Verb& verb, std::span<char* const> arguments) {
    cli::Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    image::Reference reference = TRY(image::parse_reference(args.operands[0]));
    if (reference.transport != image::Transport::registry)
        return error(Errc::usage, cat(verb.name, ": only a registry has tags: docker://HOST/NAME, not ",
                                      quoted(args.operands[0])));
    if (!reference.tag.empty() || reference.digest)
        return error(Errc::usage, cat(verb.name, ": all tags of ", quoted(reference.name),
                                      " are listed; leave out the one in ", quoted(args.operands[0])));
    registry::PlaceOptions options = TRY(place_options(args, Side::only));
    cli::Interrupt interrupt;
    auto client = TRY(registry::open_repository(reference, registry::RegistryClient::Rights::pull, options));
    auto tags = client->tags();
    if (int signal = cli::Interrupt::signal(); signal && !tags) cli::die_of(signal);
    if (!tags) return std::move(tags).error();
    if (args.has("--json")) {
        format::JsonWriter json;
        json.begin_object().member("Repository", client->name()).key("Tags").begin_array();
        for (const std::string& tag : *tags) json.value(tag);
        json.end_array().end_object();
        TRY(cli::print(json.text()));
        return 0;
    }
    std::string out;
    for (const std::string& tag : *tags) out += cat(tag, "\n");
    TRY(cli::print(out));
    return 0;
}

}  // namespace croft::images
