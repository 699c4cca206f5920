// import, pull, push: images from elsewhere into the store and back.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "images/disk_verbs.h"
#include "images/fetch.h"
#include "images/functions.h"
#include "images/make_image.h"
#include "images/open_store.h"
#include "images/places.h"
#include "images/store_place.h"
#include "manager/find_tree.h"
#include "manager/image_root.h"
#include "manager/tree_lock.h"
#include "registry/web_file.h"

namespace croft::images {
namespace {

using cli::Arguments;
using image::Transport;

// What a word is: by its transport, else by what lies there.
Result<image::Reference> what_is(const std::string& word) {
    if (word == "-") {
        image::Reference standard_input;
        standard_input.transport = Transport::tar;
        standard_input.path = "-";
        return standard_input;
    }
    auto parsed = image::parse_reference(word);
    if (parsed && parsed->transport != Transport::store) return parsed;
    // What looks like an address, and is none that is known, is told so; nobody has such a file.
    if (!parsed && word.find("://") != word.npos) return parsed;
    image::Reference file;
    file.path = TRY(manager::absolute_path(word));
    struct stat st = {};
    if (stat(file.path.c_str(), &st) < 0) {
        manager::Tree tree = TRY(manager::find_tree(word));
        file.path = tree.directory;
        if (stat(file.path.c_str(), &st) < 0) return os_error(errno, cat("looking at ", quoted(word)));
    }
    file.transport = !S_ISDIR(st.st_mode)                                          ? Transport::tar
                     : exists_at(AT_FDCWD, (file.path + "/oci-layout").c_str()) ? Transport::oci
                                                                                   : Transport::directory;
    return file;
}

// "debian.tar.xz" is "debian".
std::string name_of_file(std::string path) {
    while (path.ends_with('/')) path.pop_back();
    std::string name = path.substr(path.rfind('/') + 1);
    for (const char* suffix : {".gz", ".xz", ".zst", ".bz2", ".tgz", ".tar", ".raw", ".img", ".qcow2"})
        if (name.ends_with(suffix) && name.size() > std::string_view(suffix).size())
            name.resize(name.size() - std::string_view(suffix).size());
    return name;
}

Result<NewLayer> layer_of(const Arguments& args, const manager::Paths& paths, const store::Store& store,
                          const image::Reference& from) {
    std::string helper = unpack_helper(paths);
    if (from.transport == Transport::tar)
        return layer_from_archive(store, TRY(open_bytes(args, from)), shown_name(from), helper);
    Fd root = TRY(open_at(AT_FDCWD, from.path.c_str(), O_PATH | O_DIRECTORY));
    TRY(manager::open_machines(paths));  // the run directory, where locks are
    manager::TreeLock lock = TRY(manager::lock_tree(paths, from.path, root.get(), LockKind::shared));
    auto layer = layer_from_directory(store, from.path, helper);
    manager::unlock_tree(std::move(lock));
    return layer;
}

// A tree, as one layer of a new image.
Result<> import_tree(const Arguments& args, const manager::Paths& paths, const store::Store& store,
                     const image::Reference& from, const std::string& name) {
    Fd hold = TRY(store.hold());
    std::string word = image::url_without_login(args.operands[0]);
    NewImage image{.name = name, .source = from.path == "-" ? "" : image::url_without_login(from.text())};
    image.layers.push_back(TRY(layer_of(args, paths, store, from)));
    image.config.created = creation_time();
    image.config.platform = image::host_platform();
    image.config.history.push_back({.created = image.config.created, .created_by = cat("croft image import ", word)});
    TRY(make_image(store, std::move(image)));
    return {};
}

Result<std::string> name_for(const Arguments& args, const image::Reference& from, bool trees) {
    if (args.operands.size() > 1) return args.operands[1];
    bool is_tree = from.transport == Transport::tar || from.transport == Transport::directory;
    // What a pull brings is looked for by its reference (manager::find_image).
    if (!is_tree || (!trees && from.path != "-")) return manager::store_name(from.text());
    if (from.path == "-") return error(Errc::usage, "import from standard input needs a NAME behind the '-'");
    if (image::is_web_address(from.path)) {
        std::string name = name_of_file(registry::url_file_name(from.path));
        if (name.empty()) return error(Errc::usage, cat("import from ", quoted(shown_name(from)), " needs a NAME behind the address"));
        return name;
    }
    return name_of_file(from.path);
}

void tell(const Arguments& args, const std::string& name) {
    if (!args.has("--quiet")) info(cat("image ", quoted(name), " is in the store; `croft run ", name, "` runs it"));
}

Result<int> finish(Result<> done) {
    if (!done && cli::Interrupt::signal()) {
        log(LogLevel::error, done.error().text);
        cli::die_of(cli::Interrupt::signal());
    }
    if (!done) return std::move(done).error();
    return 0;
}

Result<> copy_here(const Arguments& args, const manager::Paths& paths, StorePtr store, const image::Reference& reference,
                   const std::string& name) {
    registry::PlaceOptions options = TRY(place_options(args, Side::only));
    auto from = TRY(open_any_source(reference, options));
    IntoStore into{.name = name, .source = reference.text(), .helper = unpack_helper(paths), .platform = options.platform};
    auto to = TRY(store_target(std::move(store), std::move(into)));
    return copy_with_progress(args, *from, *to, options, cat("pulling ", reference.text()));
}

// No image of the store: it is a machine's tree as it is.
Result<> bring_disk(const Arguments& args, const manager::Paths& paths, const image::Reference& from, bool trees) {
    if (!trees) return error(Errc::usage, cat(quoted(args.operands[0]), " is a disk image: `croft image import` takes those"));
    cli::Interrupt interrupt;
    std::string name = args.operands.size() > 1 ? args.operands[1] : "", file = from.path;
    bool elsewhere = image::is_web_address(from.path) || from.path == "-";
    if (!elsewhere) file = TRY(manager::absolute_path(from.path));
    Fd fetched = TRY(fetched_disk(args, {.transport = Transport::raw, .path = file}));
    if (!fetched) return import_raw(args, paths, file, name);
    if (args.has("--backing")) return error(Errc::usage, "--backing: beside a disk image that is fetched or compressed there is none");
    if (name.empty()) name = TRY(name_for(args, {.transport = Transport::tar, .path = file}, true));
    return import_raw(args, paths, cat("/proc/self/fd/", fetched.get()), name, shown_name(from));
}

Result<> bring(const Arguments& args, bool trees) {
    manager::Paths paths = TRY(manager::find_paths());
    const std::string& word = args.operands[0];
    image::Reference from = TRY(what_is(word));
    if (from.transport == Transport::raw) return bring_disk(args, paths, from, trees);
    StorePtr kept = TRY(open_store(paths));
    const store::Store& store = *kept;
    bool is_tree = from.transport == Transport::tar || from.transport == Transport::directory;
    if (args.value("--digest") && from.transport != Transport::tar)
        return error(Errc::usage, cat("--digest: it is of an archive or a disk image, and ", quoted(word),
                                      " is none; an image in a registry has its digest in its name, NAME@DIGEST"));
    if (from.transport == Transport::store)
        return error(
            Errc::usage,
            cat(quoted(word),
                " is in the store already, or nowhere: give docker://HOST/NAME:TAG, oci:PATH:TAG or a file"));
    if (is_tree && !trees && from.transport == Transport::directory)
        return error(Errc::usage, cat(quoted(word), " is a directory: `croft image import` takes those"));
    std::string name = TRY(name_for(args, from, trees));
    cli::Interrupt interrupt;
    Result<> done = is_tree ? import_tree(args, paths, store, from, name) : copy_here(args, paths, kept, from, name);
    // Where the disk is full, what was half unpacked shall not keep it so.
    if (!done) (void)store.empty_trash();
    if (done) tell(args, name);
    return done;
}

}  // namespace

Result<int> verb_import(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 1, 2));
    return finish(bring(args, true));
}

Result<int> verb_pull(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 1, 2));
    // A name alone is one of a registry here.
    if (auto parsed = image::parse_reference(args.operands[0]); parsed && parsed->transport == Transport::store)
        args.operands[0].insert(0, "docker://");
    return finish(bring(args, false));
}

Result<int> verb_push(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 1, 2));
    StorePtr kept = TRY(open_store());
    const store::Store& store = *kept;
    Fd hold = TRY(store.hold());
    store::Named named = TRY(store::get_reference(store, args.operands[0]));
    std::string target = args.operands.back();
    if (args.operands.size() == 1) target = named.name;
    if (auto parsed = image::parse_reference(target); parsed && parsed->transport == Transport::store)
        target.insert(0, "docker://");
    image::Reference reference = TRY(image::parse_reference(target));
    cli::Interrupt interrupt;
    auto from = TRY(store_source(kept, named.name));
    return finish(copy_there(args, *from, reference));
}

}  // namespace croft::images
