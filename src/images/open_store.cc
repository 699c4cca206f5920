#include "images/open_store.h"

#include <unistd.h>

#include <cstdlib>

#include "base/log.h"
#include "base/text.h"
#include "manager/image_root.h"
#include "manager/rootless.h"
#include "store/collect.h"
#include "store/layers.h"

namespace croft::images {

Result<> become_owner(const manager::Paths& paths) {
    if (paths.system || geteuid() == 0) return {};
    TRY(manager::become_fake_root());
    setenv("CROFT_SCOPE", "user", 1);
    return {};
}

Result<StorePtr> open_store(const manager::Paths& paths) {
    TRY(become_owner(paths));
    return std::make_shared<const store::Store>(TRY(store::Store::open(manager::store_path(paths))));
}

Result<StorePtr> open_store() {
    manager::Paths paths = TRY(manager::find_paths());
    return open_store(paths);
}

std::string unpack_helper(const manager::Paths& paths) {
    return paths.helpers + "/croft-unpack";
}

Result<std::string> boot_id() {
    std::string text = TRY(read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 128));
    return std::string(trim(text));
}

Result<std::vector<std::string>> trees_of(const store::Store& store, const store::Image& image) {
    TRY(store::check_complete(store, image));
    return store::trees_above(store, image.layers());
}

Result<> collect_quietly(const store::Store& store) {
    std::string boot = TRY(boot_id());
    auto done = TRY(store::collect(store, boot, store::Collect::all));
    if (!done) debug("the store is in use; what is not needed goes with the next collection");
    store.empty_trash_later();
    return {};
}

}  // namespace croft::images
