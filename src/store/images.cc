#include "store/images.h"

#include "base/text.h"
#include "store/blobs.h"
#include "store/layers.h"

namespace croft::store {

std::vector<std::string> Image::layers() const {
    std::vector<std::string> out;
    for (const image::Digest& id : config.diff_ids) out.push_back(id.text());
    return out;
}

Result<Image> read_image(const Store& store, const Named& named) {
    Image image = TRY(read_image(store, named.manifest).within(cat("image ", quoted(named.name))));
    image.named = named;
    return image;
}

Result<Image> read_image(const Store& store, const image::Digest& digest) {
    std::string bytes = TRY(read_blob(store, digest, image::largest_manifest));
    image::Document document = TRY(image::parse_manifest(bytes).within(cat("the manifest ", digest.text())));
    auto* manifest = std::get_if<image::Manifest>(&document);
    if (!manifest) return error(Errc::invalid, cat(digest.text(), " is an index and no image"));
    std::string config = TRY(read_blob(store, manifest->config.digest, image::largest_config));
    Image out{.named = {.name = "", .manifest = digest, .top = {}, .source = ""},
              .manifest = std::move(*manifest),
              .config = TRY(image::parse_config(config).within(cat("the configuration of ", digest.text())))};
    if (out.config.diff_ids.size() != out.manifest.layers.size())
        return error(Errc::invalid, cat("the manifest ", digest.text(), " has ", out.manifest.layers.size(),
                                        " layers and its configuration ", out.config.diff_ids.size()));
    return out;
}

Result<Image> get_image(const Store& store, std::string_view word) {
    Named named = TRY(get_reference(store, word));
    return read_image(store, named);
}

Summary summarize(const Store& store, Named named) {
    Summary out{.named = std::move(named), .config = {}, .platform = "", .bytes = 0, .complete = true, .mistake = ""};
    auto image = read_image(store, out.named);
    if (!image) {
        out.complete = false, out.mistake = image.error().text;
        return out;
    }
    for (const std::string& id : image->layers()) {
        auto layer = find_layer(store, id);
        if (layer && *layer)
            out.bytes += (*layer)->bytes;
        else
            out.complete = false;
    }
    out.config = std::move(image->config);
    out.platform = out.config.platform.text();
    return out;
}

Result<std::vector<std::string>> missing_layers(const Store& store, const Image& image) {
    std::vector<std::string> out;
    for (const std::string& id : image.layers())
        if (!TRY(find_layer(store, id))) out.push_back(id);
    return out;
}

Result<> check_complete(const Store& store, const Image& image) {
    auto missing = TRY(missing_layers(store, image));
    if (missing.empty()) return {};
    return error(Errc::wrong_state, cat("image ", quoted(image.named.name), " is incomplete: ", missing.size(),
                                        " of its layers are not unpacked; `croft image pull` or `import` it again"));
}

Result<std::vector<image::Digest>> missing_blobs(const Store& store, const Image& image) {
    std::vector<image::Digest> out;
    for (size_t i = 0; i < image.manifest.layers.size(); ++i) {
        const image::Digest& digest = image.manifest.layers[i].digest;
        if (blob_size(store, digest)) continue;
        // An uncompressed layer's blob is the archive itself.
        auto layer = TRY(find_layer(store, image.config.diff_ids[i].text()));
        if (!layer || !layer->recipe || digest != image.config.diff_ids[i]) out.push_back(digest);
    }
    return out;
}

}  // namespace croft::store
