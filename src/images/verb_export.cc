// export: an image as an archive of its tree, in the bytes that it came in where it has one layer.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "archive/compression.h"
#include "archive/pack.h"
#include "archive/streams.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/output.h"
#include "images/disk_verbs.h"
#include "images/functions.h"
#include "images/open_store.h"
#include "images/places.h"
#include "images/store_place.h"
#include "kernel/overlay.h"
#include "manager/find_tree.h"
#include "manager/image_root.h"
#include "manager/own_root.h"
#include "manager/tree_lock.h"
#include "store/images.h"

namespace croft::images {
namespace {

using archive::Compression;
using cli::Arguments;

// As it came: the blob, or the archive made again from tree and recipe.
Result<> as_given(const StorePtr& store, const store::Image& image, Sink& to) {
    auto source = TRY(store_source(store, image.named.name));
    auto bytes = TRY(source->blob(image.manifest.layers[0]));
    TRY(archive::copy(*bytes, to));
    return to.finish();
}

Result<> merged(const store::Store& store, const store::Image& image, std::unique_ptr<Sink> to, Compression compression) {
    std::vector<std::string> trees = TRY(trees_of(store, image));
    Fd view = TRY(kernel::read_layers(trees, manager::overlay_notes()));
    Fd tree = TRY(open_at(view.get(), ".", O_RDONLY | O_DIRECTORY));
    auto sink = TRY(archive::compress(std::move(to), compression));
    TRY(archive::pack(tree.get(), *sink));
    return {};
}

// Nothing said, and one layer: as it came. Else by --compression, else by the file's name.
Result<std::optional<Compression>> compression_of(const Arguments& args, const std::string& path, const store::Image& image) {
    if (const std::string* name = args.value("--compression")) {
        auto compression = archive::compression_of(*name);
        if (!compression || *compression == Compression::bzip2)
            return error(Errc::usage, cat("--compression: ", quoted(*name), " is none of none, gzip, zstd, xz"));
        return compression;
    }
    if (image.manifest.layers.size() == 1) return std::optional<Compression>();
    for (Compression each : {Compression::gzip, Compression::zstd, Compression::xz})
        if (path.ends_with(archive::suffix_of(each))) return std::optional(each);
    return std::optional(Compression::none);
}

// Under another name until it is whole.
Result<> to_file(const StorePtr& store, const store::Image& image, const std::string& path,
                 std::optional<Compression> compression) {
    auto write = [&](Fd file) -> Result<> {
        auto sink = archive::write_fd(std::move(file), path);
        return compression ? merged(*store, image, std::move(sink), *compression) : as_given(store, image, *sink);
    };
    if (path == "-") return write(Fd(dup(STDOUT_FILENO)));
    // A device or a FIFO is written to, not replaced.
    struct stat st = {};
    if (stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode))
        return write(TRY(open_at(AT_FDCWD, path.c_str(), O_WRONLY | O_NOCTTY)));
    std::string partial = cat(path, ".croft-partial");
    Fd file = TRY(open_at(AT_FDCWD, partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644));
    OnExit remove([&] { unlink(partial.c_str()); });
    TRY(write(std::move(file)));
    if (::rename(partial.c_str(), path.c_str()) < 0) return os_error(errno, cat("writing ", quoted(path)));
    remove.dismiss();
    return {};
}

// A tree of the host, or the image's layers as one.
Result<> to_disk(const Arguments& args, const image::Reference& target) {
    std::string file = TRY(manager::absolute_path(target.path));
    manager::Paths paths = TRY(manager::find_paths());
    auto named = TRY(manager::find_image(paths, args.operands[0]));
    if (!named) {
        manager::Tree tree = TRY(manager::find_tree(args.operands[0]));
        Fd root = TRY(open_at(AT_FDCWD, tree.directory.c_str(), O_PATH | O_DIRECTORY));
        TRY(manager::open_machines(paths));  // the run directory, where locks are
        manager::TreeLock lock = TRY(manager::lock_tree(paths, tree.directory, root.get(), LockKind::shared));
        OnExit unlock([&] { manager::unlock_tree(std::move(lock)); });
        return export_raw(args, tree.directory, file);
    }
    StorePtr kept = TRY(open_store());
    Fd hold = TRY(kept->hold());
    store::Image image = TRY(store::get_image(*kept, named->name));
    std::vector<std::string> trees = TRY(trees_of(*kept, image));
    Fd view = TRY(kernel::read_layers(trees, manager::overlay_notes()));
    return export_raw(args, cat("/proc/", getpid(), "/fd/", view.get(), "/."), file);
}

}  // namespace

Result<int> verb_export(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 1, 2));
    if (auto disk = image::parse_reference(args.operands.back()); disk && disk->transport == image::Transport::raw) {
        TRY(expect_operands(verb, args, 2, 2));
        TRY(to_disk(args, *disk));
        return 0;
    }
    StorePtr kept = TRY(open_store());
    const store::Store& store = *kept;
    Fd hold = TRY(store.hold());
    store::Image image = TRY(store::get_image(store, args.operands[0]));
    std::string target = args.operands.size() == 2 ? args.operands[1] : "-";
    auto reference = image::parse_reference(target);
    bool place = reference && reference->transport != image::Transport::store && reference->transport != image::Transport::tar;
    if (place) {
        auto from = TRY(store_source(kept, image.named.name));
        TRY(copy_there(args, *from, *reference));
        return 0;
    }
    std::string path = reference && reference->transport == image::Transport::tar ? reference->path : target;
    if (path == "-" && cli::is_terminal(STDOUT_FILENO))
        return error(Errc::usage, "an archive is not written to a terminal: give a file, or send the output somewhere");
    auto compression = TRY(compression_of(args, path, image));
    TRY(to_file(kept, image, path, compression).within(cat("exporting image ", quoted(image.named.name))));
    return 0;
}

}  // namespace croft::images
