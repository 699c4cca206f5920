// mount, umount, verify: what is in an image, and whether it is still what it was.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "archive/hash.h"
#include "archive/streams.h"
#include "base/text.h"
#include "cli/output.h"
#include "images/functions.h"
#include "images/open_store.h"
#include "images/store_place.h"
#include "kernel/overlay.h"
#include "manager/find_tree.h"
#include "manager/own_root.h"
#include "registry/blobs.h"
#include "store/blobs.h"
#include "store/images.h"
#include "store/machine_roots.h"
#include "store/names.h"

namespace croft::images {
namespace {

using cli::Arguments;

std::string default_place(const manager::Paths& paths, const store::Named& named) {
    return cat(paths.run, "/images/", named.manifest.brief());
}

// What is mounted is in use: told as of a machine, under a name that no machine has.
Result<std::string> use_name(const std::string& directory) {
    return cat(mount_use, TRY(store::reference_file(directory)));
}

Result<> check_unused(const store::Store& store, const std::string& place) {
    const std::string boot = TRY(boot_id());
    for (const store::MachineRoot& use : TRY(store::uses(store, boot)))
        if (use.name == TRY(use_name(place)))
            return error(Errc::exists, cat("image ", quoted(use.image), " is mounted already, at ", place));
    return {};
}

Result<> note_use(const store::Store& store, const store::Image& image, const std::string& directory) {
    store::MachineRoot use{TRY(use_name(directory)), image.named.name, image.named.manifest, image.layers(),
                           static_cast<uint64_t>(time(nullptr))};
    TRY(make_dirs_at(store.fd(), cat("uses/", use.name), 0700));
    return store::write_use(store, use, TRY(boot_id()));
}

}  // namespace

Result<int> verb_mount(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 1, 2));
    manager::Paths paths = TRY(manager::find_paths());
    if (!paths.system)
        return error(Errc::denied, "an image is mounted by root alone: a user's mount would be seen by nobody else; `croft image export` "
                                   "gives the tree, `croft run` a machine on it");
    StorePtr kept = TRY(open_store(paths));
    const store::Store& store = *kept;
    Fd hold = TRY(store.hold());
    store::Image image = TRY(store::get_image(store, args.operands[0]));
    std::vector<std::string> trees = TRY(trees_of(store, image));
    bool chosen = args.operands.size() == 2;
    std::string place = chosen ? TRY(manager::absolute_path(args.operands[1])) : default_place(paths, image.named);
    if (!chosen) TRY(make_dirs_at(AT_FDCWD, place, 0755));
    TRY(check_unused(store, place));
    TRY(note_use(store, image, place));
    Result<> mounted = kernel::mount_layers(trees, manager::overlay_notes(), place);
    if (!mounted) {
        (void)store.discard(cat("uses/", TRY(use_name(place))));
        return std::move(mounted).error().within(cat("mounting image ", quoted(image.named.name)));
    }
    TRY(cli::print(cat(place, "\n")));
    return 0;
}

Result<int> verb_umount(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 1, 1));
    manager::Paths paths = TRY(manager::find_paths());
    StorePtr kept = TRY(open_store(paths));
    const store::Store& store = *kept;
    const std::string& word = args.operands[0];
    std::string place = TRY(manager::absolute_path(word));
    std::string use = cat("uses/", TRY(use_name(place)));
    if (!exists_at(store.fd(), use.c_str())) {
        place = default_place(paths, TRY(store::get_reference(store, word)));
        use = cat("uses/", TRY(use_name(place)));
        if (!exists_at(store.fd(), use.c_str()))
            return error(Errc::wrong_state, cat("image ", quoted(word), " is not mounted; where it is, give the directory"));
    }
    // Another may have ended it already, umount(8) or a new boot.
    if (umount2(place.c_str(), UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT) {
        if (errno == EBUSY)
            return error(Errc::busy,
                         cat(quoted(place), " is in use by a process (lsof shows which); end it first"));
        return os_error(errno, cat("unmounting ", quoted(place)));
    }
    if (place.starts_with(paths.run + "/images/")) rmdir(place.c_str());
    TRY(store.discard(use));
    store.empty_trash_later();
    return 0;
}

namespace {

class HashSink final : public Sink {
  public:
    explicit HashSink(archive::Hasher& hasher) : hasher_(hasher) {}
    Result<> write(std::span<const std::byte> bytes) override {
        hasher_.update(bytes);
        return {};
    }

  private:
    archive::Hasher& hasher_;
};

// "" when it is what its digest says, else what is wrong with it.
Result<std::string> check_blob(registry::ImageSource& source, const image::Descriptor& blob) {
    auto bytes = source.blob(blob);
    if (!bytes && bytes.error().code == Errc::not_found) return cat("blob ", blob.digest.text(), " is missing");
    if (!bytes) return cat("blob ", blob.digest.text(), ": ", bytes.error().text);
    archive::Hasher hasher(registry::algorithm_of(blob.digest));
    HashSink sink(hasher);
    TRY(archive::copy(**bytes, sink).within(cat("reading blob ", blob.digest.text())));
    return hasher.digest() == blob.digest.text() ? "" : cat("blob ", blob.digest.text(), " has other bytes than its digest says");
}

Result<std::vector<std::string>> wrong_with(const StorePtr& store, const store::Named& named) {
    std::vector<std::string> wrong;
    auto note = [&](std::string text) {
        if (!text.empty()) wrong.push_back(cat(named.name, ": ", text));
    };
    auto image = store::read_image(*store, named);
    if (!image) return std::vector<std::string>{image.error().text};
    auto source = TRY(store_source(store, named.name));
    image::Descriptor manifest{.media_type = "", .digest = named.manifest};
    note(TRY(check_blob(*source, manifest)));
    note(TRY(check_blob(*source, image->manifest.config)));
    for (const image::Descriptor& layer : image->manifest.layers) note(TRY(check_blob(*source, layer)));
    for (const std::string& id : TRY(store::missing_layers(*store, *image))) note(cat("layer ", id, " is not unpacked"));
    return wrong;
}

}  // namespace

Result<int> verb_verify(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    StorePtr kept = TRY(open_store());
    const store::Store& store = *kept;
    Fd hold = TRY(store.hold());
    std::vector<store::Named> all;
    for (const std::string& word : args.operands) all.push_back(TRY(store::get_reference(store, word)));
    if (args.operands.empty()) all = TRY(store::references(store));
    std::string out;
    for (const store::Named& named : all)
        for (const std::string& line : TRY(wrong_with(kept, named))) out += line + "\n";
    TRY(cli::print(out));
    return out.empty() ? 0 : 1;
}

}  // namespace croft::images
