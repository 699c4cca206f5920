// tag, rename, rm, prune: names of images, and what goes with the last of them.
#include <algorithm>
#include <ctime>

#include "base/log.h"
#include "base/text.h"
#include "cli/output.h"
#include "images/functions.h"
#include "images/open_store.h"
#include "manager/declared.h"
#include "manager/image_root.h"
#include "store/collect.h"
#include "store/machine_roots.h"
#include "store/names.h"
#include "store/references.h"

namespace croft::images {
namespace {

using cli::Arguments;

// A name that is taken is another image's: it is not taken away by accident.
Result<> check_free(const store::Store& store, const std::string& name, const image::Digest& manifest, bool force) {
    for (const store::Named& other : TRY(store::references(store)))
        if (other.name == name && other.manifest != manifest && !force)
            return error(Errc::exists, cat("image ", quoted(name), " is another one already (", other.manifest.brief(),
                                           "); --force gives the name to this one"));
    return {};
}

Result<store::Named> give_name(const store::Store& store, const Arguments& args) {
    store::Named named = TRY(store::get_reference(store, args.operands[0]));
    store::Named fresh = named;
    fresh.name = args.operands[1];
    fresh.made = static_cast<uint64_t>(time(nullptr));
    TRY(check_free(store, fresh.name, fresh.manifest, args.has("--force")));
    TRY(store::put_reference(store, fresh));
    return named;
}

}  // namespace

Result<int> verb_tag(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 2, 2));
    StorePtr kept = TRY(open_store());
    const store::Store& store = *kept;
    Fd hold = TRY(store.hold());
    TRY(give_name(store, args));
    return 0;
}

Result<int> verb_rename(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 2, 2));
    StorePtr kept = TRY(open_store());
    const store::Store& store = *kept;
    Fd hold = TRY(store.hold());
    store::Named old = TRY(give_name(store, args));
    if (old.name != args.operands[1]) TRY(store::remove_reference(store, old.name));
    return 0;
}

namespace {

// Who has a use of the store: a machine, or a directory at which an image is mounted.
std::string user_text(std::string_view use) {
    if (!use.starts_with(mount_use)) return cat("machine ", use);
    return cat("the mount at ", store::reference_of_file(use.substr(mount_use.size())));
}

// Said, because its space does not come back yet.
Result<> tell_users(const store::Store& store, const store::Named& named) {
    for (const store::Named& other : TRY(store::references(store)))
        if (other.manifest == named.manifest) return {};
    std::vector<store::MachineRoot> roots = TRY(store::machine_roots(store));
    std::string boot = TRY(boot_id());
    for (store::MachineRoot& use : TRY(store::uses(store, boot))) roots.push_back(std::move(use));
    std::vector<std::string> users;
    for (const store::MachineRoot& root : roots)
        if (root.manifest == named.manifest) users.push_back(user_text(root.name));
    if (!users.empty())
        info(cat("image ", quoted(named.name), " has no name any more; its files stay as long as ", join(users, ", "),
                 users.size() == 1 ? " stands on them" : " stand on them"));
    return {};
}

}  // namespace

Result<int> verb_rm(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 1, SIZE_MAX));
    StorePtr kept = TRY(open_store());
    const store::Store& store = *kept;
    std::vector<store::Named> all;
    for (const std::string& word : args.operands) all.push_back(TRY(store::get_reference(store, word)));
    for (const store::Named& named : all) {
        TRY(store::remove_reference(store, named.name));
        if (!args.has("--quiet")) TRY(tell_users(store, named));
    }
    TRY(collect_quietly(store));
    return 0;
}

namespace {

// Machines' roots that no file declares any more.
Result<size_t> prune_machines(const manager::Paths& paths, const store::Store& store, bool dry_run) {
    auto declared = TRY(manager::declared_names(paths));
    size_t count = 0;
    for (const store::MachineRoot& root : TRY(store::machine_roots(store))) {
        if (std::ranges::find(declared, root.name) != declared.end()) continue;
        ++count;
        if (!dry_run) TRY(manager::remove_own_root(paths, root.name));
    }
    return count;
}

}  // namespace

Result<int> verb_prune(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 0, 0));
    manager::Paths paths = TRY(manager::find_paths());
    StorePtr kept = TRY(open_store(paths));
    const store::Store& store = *kept;
    size_t machines = args.has("--machines") ? TRY(prune_machines(paths, store, args.has("--dry-run"))) : 0;
    store::Collect how = args.has("--dry-run") ? store::Collect::dry_run : store::Collect::all;
    std::string boot = TRY(boot_id());
    auto done = TRY(store::collect(store, boot, how));
    if (!done)
        return error(Errc::busy,
                     "the store is in use: an image is brought in, or a machine started, just now; try again "
                     "when that is done");
    if (how == store::Collect::all) TRY(store.empty_trash());
    if (args.has("--quiet")) return 0;
    TRY(cli::print(cat(how == store::Collect::dry_run ? "Would remove " : "Removed ", done->blobs, " blobs (",
                       human_size(done->blob_bytes), "), ", done->layers, " layers, ", done->partial,
                       " unfinished, ", done->uses, " left by machines",
                       machines ? cat(", ", machines, " roots of machines that are not declared") : "",
                       ".\n")));
    return 0;
}

}  // namespace croft::images
