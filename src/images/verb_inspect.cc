// image inspect: what an image is, from its manifest and configuration alone.
#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "format/json_document.h"
#include "format/json_writer.h"
#include "image/config.h"
#include "images/functions.h"
#include "images/places.h"
#include "images/template.h"
#include "registry/blobs.h"
#include "registry/docker_place.h"

namespace croft::images {

namespace {
using format::JsonWriter;
using registry::ChosenImage;

void list_member(JsonWriter& json, const char* key, const std::vector<std::string>& list) {
    json.key(key).begin_array();
    for (const std::string& one : list) json.value(one);
    json.end_array();
}

void map_member(JsonWriter& json, const char* key, const std::map<std::string, std::string>& map) {
    json.key(key).begin_object();
    for (const auto& [name, value] : map) json.member(name, value);
    json.end_object();
}

void layers_member(JsonWriter& json, const image::Manifest& manifest) {
    json.key("Layers").begin_array();
    for (const image::Descriptor& layer : manifest.layers) json.value(layer.digest.text());
    json.end_array().key("LayersData").begin_array();
    for (const image::Descriptor& layer : manifest.layers) {
        json.begin_object().member("MIMEType", layer.media_type).member("Digest", layer.digest.text()).member("Size", layer.size);
        map_member(json, "Annotations", layer.annotations);
        json.end_object();
    }
    json.end_array();
}

void process_members(JsonWriter& json, const image::ImageProcess& process) {
    list_member(json, "Env", process.environment);
    list_member(json, "Entrypoint", process.entrypoint);
    list_member(json, "Cmd", process.command);
    json.member("User", process.user).member("WorkingDir", process.working_directory).member("StopSignal", process.stop_signal);
    list_member(json, "Volumes", process.volumes);
    list_member(json, "ExposedPorts", process.exposed_ports);
    if (!process.health) return;
    const image::HealthCheck& health = *process.health;
    json.key("Healthcheck").begin_object();
    list_member(json, "Test", health.test);
    json.member("Interval", health.interval).member("Timeout", health.timeout).member("StartPeriod", health.start_period);
    json.member("StartInterval", health.start_interval).member("Retries", health.retries);
    json.end_object();
}

std::string described(const image::Reference& reference, const registry::ManifestBytes& top,
                      const ChosenImage& chosen, const image::Config& config) {
    uint64_t size = chosen.manifest.config.size;
    for (const image::Descriptor& layer : chosen.manifest.layers) size += layer.size;
    JsonWriter json;
    json.begin_object();
    json.member("Name", reference.host.empty() ? reference.text() : cat(reference.host, "/", reference.name));
    json.member("Tag", reference.tag).member("Digest", top.digest.text()).member("MediaType", top.media_type);
    if (chosen.bytes.digest != top.digest) json.member("ImageDigest", chosen.bytes.digest.text());
    json.member("Created", config.created).member("Author", config.author);
    json.member("Architecture", config.platform.architecture)
        .member("Os", config.platform.os)
        .member("Variant", config.platform.variant);
    json.member("Size", size);
    map_member(json, "Labels", config.process.labels);
    map_member(json, "Annotations", chosen.manifest.annotations);
    layers_member(json, chosen.manifest);
    process_members(json, config.process);
    json.end_object();
    return json.take();
}

Result<std::string> config_text(registry::ImageSource& source, const ChosenImage& chosen) {
    return registry::read_blob(source, chosen.manifest.config, image::largest_config);
}

Result<std::string> inspected(const cli::Arguments& args, registry::ImageSource& source, const registry::PlaceOptions& options) {
    bool raw = args.has("--raw");
    registry::ManifestBytes top = TRY(source.manifest());
    if (raw && !args.has("--config")) return std::move(top.bytes);
    ChosenImage chosen = TRY(registry::choose_image(source, options.platform));
    std::string bytes = TRY(config_text(source, chosen));
    if (raw) return bytes;
    image::Config config = TRY(image::parse_config(bytes));
    if (args.has("--config")) return cat(image::config_json(config), "\n");
    std::string text = described(source.reference(), top, chosen, config);
    const std::string* pattern = args.value("--format");
    if (!pattern) return text;
    auto document = TRY(format::JsonDocument::parse(text));
    return fill_template(*pattern, document.root());
}

Result<std::string> referring(registry::ImageSource& source) {
    auto* place = dynamic_cast<registry::RegistrySource*>(&source);
    if (!place)
        return error(Errc::unsupported,
                     "--referrers: only a registry keeps what refers to an image (docker://HOST/NAME)");
    registry::ManifestBytes top = TRY(source.manifest());
    image::Index index = TRY(place->client().referrers(top.digest));
    return cat(image::index_json(index), "\n");
}
}  // namespace

Result<int> verb_inspect(const cli::Verb& verb, std::span<char* const> arguments) {
    cli::Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    image::Reference reference = TRY(image::parse_reference(args.operands[0]));
    registry::PlaceOptions options = TRY(place_options(args, Side::only));
    options.check_policy = false;
    cli::Interrupt interrupt;
    auto text = [&]() -> Result<std::string> {
        auto source = TRY(open_any_source(reference, options));
        return args.has("--referrers") ? referring(*source) : inspected(args, *source, options);
    }();
    if (int signal = cli::Interrupt::signal(); signal && !text) cli::die_of(signal);
    if (!text) return std::move(text).error().within(cat("looking at ", args.operands[0]));
    TRY(cli::print(*text));
    return 0;
}

}  // namespace croft::images
