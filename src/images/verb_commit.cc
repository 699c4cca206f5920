// commit: a machine's root as an image. Its image's layers stay what they are; what the machine has written becomes further
// ones.
#include <unistd.h>

#include "archive/compression.h"
#include "archive/hash.h"
#include "archive/pack.h"
#include "archive/streams.h"
#include "archive/unpack.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/output.h"
#include "image/media_types.h"
#include "images/functions.h"
#include "images/make_image.h"
#include "images/open_store.h"
#include "images/unpack_layers.h"
#include "manager/own_root.h"
#include "store/blobs.h"
#include "store/layers.h"
#include "store/names.h"

namespace croft::images {
namespace {

using cli::Arguments;

class BlobSink final : public Sink {
  public:
    explicit BlobSink(store::BlobWriter& writer) : writer_(writer) {}
    Result<> write(std::span<const std::byte> bytes) override { return writer_.write(bytes); }

  private:
    store::BlobWriter& writer_;
};

// A tree with overlayfs' marks as a compressed layer.
Result<NewLayer> layer_from_upper(const store::Store& store, const std::string& path, const std::string& helper) {
    Fd tree = TRY(open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY));
    store::BlobWriter blob = TRY(store::BlobWriter::begin_unknown(store));
    archive::Hasher diff, whole;
    auto to_blob = archive::tee(std::unique_ptr<Sink>(new BlobSink(blob)), &whole);
    auto compressed = TRY(archive::compress(std::move(to_blob), archive::Compression::gzip));
    auto sink = archive::tee(std::move(compressed), &diff);
    TRY(archive::pack(tree.get(), *sink, {.marks = archive::UpperMarks::whiteouts}));
    image::Digest digest = TRY(image::Digest::parse(whole.digest())), diff_id = TRY(image::Digest::parse(diff.digest()));
    uint64_t size = blob.written();
    TRY(blob.commit(digest));
    NewLayer layer{{.media_type = image::layer_media_type(image::Family::oci, "gzip"), .digest = digest, .size = size}, diff_id};
    TRY(unpack_layer(store, layer.blob, diff_id, helper));
    return layer;
}

Result<NewImage> committed(const manager::OwnRoot& own, const std::string& helper) {
    const store::MachineRoot& root = own.root();
    if (!root.manifest)
        return error(Errc::unsupported, cat("machine ", quoted(root.name), " is made from no image that could be gone on from"));
    store::Image base = TRY(store::read_image(own.store(), *root.manifest));
    NewImage out{.name = "", .source = "", .config = base.config, .layers = {}};
    for (size_t i = 0; i < base.manifest.layers.size(); ++i)
        out.layers.push_back({base.manifest.layers[i], base.config.diff_ids[i]});
    std::vector<std::string> uppers;
    for (const std::string& id : root.layers)
        if (store::is_sealed(id)) uppers.push_back(own.store().at(TRY(store::layer_tree(id))));
    uppers.push_back(cat(store::machine_directory(own.store(), root.name), "/upper"));
    out.config.created = creation_time();
    for (const std::string& upper : uppers) {
        out.layers.push_back(TRY(layer_from_upper(own.store(), upper, helper)));
        out.config.history.push_back({.created = out.config.created, .created_by = cat("croft image commit ", root.name)});
    }
    return out;
}

}  // namespace

Result<int> verb_commit(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 2, 2));
    manager::Paths paths = TRY(manager::find_paths());
    TRY(become_owner(paths));
    manager::OwnRoot own = TRY(manager::OwnRoot::take(paths, args.operands[0], "image commit"));
    NewImage image = TRY(committed(own, unpack_helper(paths)));
    image.name = args.operands[1];
    if (const std::string* message = args.value("--message")) image.config.history.back().comment = *message;
    if (const std::string* author = args.value("--author")) image.config.author = image.config.history.back().author = *author;
    store::Named named = TRY(make_image(own.store(), std::move(image)));
    TRY(cli::print(cat(named.manifest.text(), "\n")));
    return 0;
}

}  // namespace croft::images
