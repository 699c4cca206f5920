// Manifests, indexes and configurations of images: what is read is written and read as the same again.
#include "image/config.h"
#include "image/manifest.h"
#include "property.h"

using namespace croft::image;
using croft::fuzz::promise;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view text = croft::fuzz::text_of(data, size);
    if (auto document = parse_manifest(text)) {
        auto* manifest = std::get_if<Manifest>(&*document);
        std::string written = manifest ? manifest_json(*manifest) : index_json(std::get<Index>(*document));
        auto again = parse_manifest(written);
        promise(again.has_value(), "a manifest that is written can be read", text);
        auto* second = std::get_if<Manifest>(&*again);
        promise((second ? manifest_json(*second) : index_json(std::get<Index>(*again))) == written, "and is the same again", text);
        if (!manifest) (void)choose(std::get<Index>(*document), host_platform());
    }
    if (auto config = parse_config(text)) {
        std::string written = config_json(*config);
        auto again = parse_config(written);
        promise(again.has_value() && config_json(*again) == written, "a configuration that is written is the same again", text);
    }
    return 0;
}
