#include "images/make_image.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "archive/pack.h"
#include "archive/streams.h"
#include "archive/unpack.h"
#include "base/text.h"
#include "image/media_types.h"
#include "images/unpack_layers.h"
#include "registry/blobs.h"
#include "store/blobs.h"
#include "store/layers.h"

namespace croft::images {
namespace {

std::string media_type(archive::Compression compression) {
    return image::layer_media_type(image::Family::oci, compression == archive::Compression::gzip ? "gzip" : "zstd");
}

// xz and bzip2 are no layers' compressions: such an archive is kept as a tree.
bool is_kept(archive::Compression compression) {
    return compression == archive::Compression::gzip || compression == archive::Compression::zstd;
}

store::Layer layer_of(const archive::Unpacked& done, bool recipe) {
    return {.id = done.diff_id,
            .archive_size = done.archive_bytes,
            .bytes = done.bytes,
            .entries = done.entries,
            .recipe = recipe};
}

Result<archive::Unpacked> into_tree(const store::LayerWriter& layer, Source& archive, archive::UnpackOptions options) {
    Fd tree = TRY(layer.tree());
    return archive::unpack(archive, tree.get(), options);
}

// The tree and a recipe. What nobody can push as it is (xz) is kept as what it is inside.
Result<NewLayer> plain(store::LayerWriter layer, Source& archive, archive::UnpackOptions options) {
    Fd recipe = TRY(open_at(layer.directory(), store::recipe_file, O_RDWR | O_CREAT | O_EXCL, 0600));
    options.recipe = recipe.get();
    archive::Unpacked done = TRY(into_tree(layer, archive, options));
    TRY(layer.commit(layer_of(done, true)));
    image::Digest digest = TRY(image::Digest::parse(done.diff_id));
    return NewLayer{{.media_type = std::string(image::oci_layer), .digest = digest, .size = done.archive_bytes}, digest};
}

Result<NewLayer> compressed(const store::Store& store, store::LayerWriter layer, std::unique_ptr<Source> archive,
                            const archive::UnpackOptions& options) {
    store::BlobWriter blob = TRY(store::BlobWriter::begin_unknown(store));
    auto both = archive::tee(std::move(archive), &blob, nullptr);
    archive::Unpacked done = TRY(into_tree(layer, *both, options));
    image::Digest digest = TRY(image::Digest::parse(done.digest)), diff_id = TRY(image::Digest::parse(done.diff_id));
    uint64_t size = blob.written();
    TRY(blob.commit(digest));
    TRY(layer.commit(layer_of(done, false)));
    return NewLayer{{.media_type = media_type(options.compression), .digest = digest, .size = size}, diff_id};
}

Result<image::Descriptor> add_json(const store::Store& store, const std::string& bytes, std::string_view type) {
    image::Digest digest = registry::digest_of(bytes);
    TRY(store::add_blob(store, digest, bytes));
    return image::Descriptor{.media_type = std::string(type), .digest = digest, .size = bytes.size()};
}

}  // namespace

Result<NewLayer> layer_from_archive(const store::Store& store, std::unique_ptr<Source> source, const std::string& what,
                                    const std::string& helper) {
    std::string first;
    source = TRY(archive::peek(std::move(source), archive::sniff_length, first));
    auto layer = TRY(store::LayerWriter::begin(store));
    archive::UnpackOptions options = tree_options(helper);
    options.whiteouts = archive::Whiteouts::keep;  // an archive of a tree hides nothing
    options.what = what;
    options.compression = archive::sniff(std::as_bytes(std::span(first)));
    if (is_kept(options.compression)) return compressed(store, std::move(*layer), std::move(source), options);
    return plain(std::move(*layer), *source, options);
}

Result<NewLayer> layer_from_archive(const store::Store& store, Fd archive, const std::string& what, const std::string& helper) {
    return layer_from_archive(store, archive::read_fd(std::move(archive), what), what, helper);
}

Result<NewLayer> layer_from_directory(const store::Store& store, const std::string& path, const std::string& helper) {
    Fd tree = TRY(open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY));
    Pipe pipe = TRY(make_pipe());
    Result<> packed;
    std::thread packing([&, to = pipe.write.release()] {
        // A reader that gives up is an error here, not the end of the program.
        sigset_t broken_pipe;
        sigemptyset(&broken_pipe);
        sigaddset(&broken_pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
        auto sink = archive::write_fd(Fd(to), path);
        auto done = archive::pack(tree.get(), *sink);
        if (!done) packed = std::move(done).error();
    });
    auto layer = layer_from_archive(store, std::move(pipe.read), path, helper);
    packing.join();
    // An archive that ends in its middle is the consequence.
    if (!packed && packed.error().err != EPIPE) return std::move(packed).error().within(cat("packing ", path));
    return layer;
}

std::string creation_time() {
    const char* epoch = getenv("SOURCE_DATE_EPOCH");
    auto seconds = epoch ? parse_int(epoch) : std::nullopt;
    time_t now = seconds ? static_cast<time_t>(*seconds) : time(nullptr);
    tm parts = {};
    gmtime_r(&now, &parts);
    char text[32];
    return {text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

Result<store::Named> make_image(const store::Store& store, NewImage image) {
    image.config.diff_ids.clear();
    for (const NewLayer& layer : image.layers) image.config.diff_ids.push_back(layer.diff_id);
    image::Manifest manifest{.media_type = std::string(image::oci_manifest),
                             .config = TRY(add_json(store, image::config_json(image.config), image::oci_config))};
    for (NewLayer& layer : image.layers) manifest.layers.push_back(std::move(layer.blob));
    image::Descriptor top = TRY(add_json(store, image::manifest_json(manifest), image::oci_manifest));
    store::Named named{image.name, top.digest, std::nullopt, image.source, static_cast<uint64_t>(time(nullptr))};
    TRY(store::put_reference(store, named));
    return named;
}

}  // namespace croft::images
